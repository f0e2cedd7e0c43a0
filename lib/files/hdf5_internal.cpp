#include <weft/lib/base/bfloat16.h>
#include <weft/lib/files/hdf5_internal.h>

#include <cstring>

namespace weft::hdf5 {
namespace {

std::mutex& mutex() {
  static std::mutex only;
  return only;
}

/// Replaces each From in `values` by the To that it becomes, in place: where that is wider, from the last on.
template <class From, class To, class Convert>
void convert_in_place(void* values, size_t count, size_t stride, Convert convert) {
  auto* const bytes = static_cast<uint8_t*>(values);
  const size_t from_stride = stride > 0 ? stride : sizeof(From), to_stride = stride > 0 ? stride : sizeof(To);
  for (size_t i = 0; i < count; ++i) {
    const size_t at = sizeof(To) > sizeof(From) ? count - 1 - i : i;
    From from;
    std::memcpy(&from, bytes + at * from_stride, sizeof from);
    const To to = convert(from);
    std::memcpy(bytes + at * to_stride, &to, sizeof to);
  }
}

herr_t narrow(hid_t, hid_t, H5T_cdata_t* data, size_t count, size_t stride, size_t, void* values, void*,
              hid_t) {
  data->need_bkg = H5T_BKG_NO;
  if (data->command == H5T_CONV_CONV) convert_in_place<float, uint16_t>(values, count, stride, bfloat16_of);
  return 0;
}

herr_t widen(hid_t, hid_t, H5T_cdata_t* data, size_t count, size_t stride, size_t, void* values, void*,
             hid_t) {
  data->need_bkg = H5T_BKG_NO;
  if (data->command == H5T_CONV_CONV)
    convert_in_place<uint16_t, float>(values, count, stride, float_of_bfloat16);
  return 0;
}

// The memory that libhdf5 asks for.

void* resize(void*, size_t size, H5FD_file_image_op_t, void* self) {
  auto& image = *static_cast<Image*>(self);
  if (image.given != nullptr) return image.given;
  try {
    image.grown.resize(size);
  } catch (const std::exception&) {
    return nullptr;
  }
  return image.grown.data();
}
void* allocate(size_t size, H5FD_file_image_op_t operation, void* self) {
  return resize(nullptr, size, operation, self);
}
void* copy(void* to, const void* from, size_t size, H5FD_file_image_op_t, void*) {
  return to == from ? to : std::memcpy(to, from, size);
}
herr_t keep(void*, H5FD_file_image_op_t, void*) { return 0; }
void* same(void* self) { return self; }
herr_t forget(void*) { return 0; }

}  // namespace

Session::Session() : lock_(mutex()) {
  H5Eget_auto2(H5E_DEFAULT, &print_, &client_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}
Session::~Session() { H5Eset_auto2(H5E_DEFAULT, print_, client_); }

std::string library_reason() {
  std::string text;
  const auto take = [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
    if (error->desc != nullptr) *static_cast<std::string*>(out) = error->desc;
    return 1;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take, &text);
  return text.empty() ? "no reason given" : text;
}

Handle property_list(hid_t kind) { return {H5Pcreate(kind), H5Pclose}; }

Handle bool_type() {
  const hid_t type = H5Tenum_create(H5T_STD_I8LE);
  int8_t value = 0;
  H5Tenum_insert(type, "FALSE", &value);
  value = 1;
  H5Tenum_insert(type, "TRUE", &value);
  return {type, H5Tclose};
}

Handle type_for(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return {H5Tcopy(H5T_IEEE_F32LE), H5Tclose};
    case DType::float64:
      return {H5Tcopy(H5T_IEEE_F64LE), H5Tclose};
    case DType::int32:
      return {H5Tcopy(H5T_STD_I32LE), H5Tclose};
    case DType::int64:
      return {H5Tcopy(H5T_STD_I64LE), H5Tclose};
    case DType::bfloat16:
      fail<TypeError>("a file holds no array of bfloat16; give it float32");
    case DType::boolean:
      break;
  }
  static_assert(sizeof(bool) == 1);
  return bool_type();
}

Handle bfloat16_type() {
  const hid_t type = H5Tcopy(H5T_IEEE_F32LE);
  H5Tset_fields(type, 15, 7, 8, 0, 7);  // sign, exponent and mantissa: where they begin, and their bits
  H5Tset_precision(type, 16);
  H5Tset_size(type, 2);
  H5Tset_ebias(type, 127);
  return {type, H5Tclose};
}

BFloat16Conversion::BFloat16Conversion() : wide_(type_for(float32)), narrow_(bfloat16_type()) {
  H5Tregister(H5T_PERS_HARD, "float32 to bfloat16", wide_, narrow_, narrow);
  H5Tregister(H5T_PERS_HARD, "bfloat16 to float32", narrow_, wide_, widen);
}
BFloat16Conversion::~BFloat16Conversion() {
  H5Tunregister(H5T_PERS_HARD, "float32 to bfloat16", wide_, narrow_, narrow);
  H5Tunregister(H5T_PERS_HARD, "bfloat16 to float32", narrow_, wide_, widen);
}

Handle in_memory(Image& image) {
  H5FD_file_image_callbacks_t callbacks{allocate, copy, resize, keep, same, forget, &image};
  Handle access = property_list(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, increment, 0);
  // Of the oldest format, which later versions of libhdf5 would not choose: from_own_hdf5 knows no other.
  H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST);
  H5Pset_file_image_callbacks(access, &callbacks);
  return access;
}

}  // namespace weft::hdf5
