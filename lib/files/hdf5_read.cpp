#include <weft/lib/base/file.h>
#include <weft/lib/files/hdf5_file.h>
#include <weft/lib/files/hdf5_internal.h>

#include <algorithm>
#include <optional>
#include <set>

namespace weft {
namespace {

using namespace hdf5;

struct Link {
  std::string name;
  H5L_type_t type;
};

herr_t collect_link(hid_t, const char* name, const H5L_info_t* info, void* out) {
  try {
    static_cast<std::vector<Link>*>(out)->push_back({name, info->type});
    return 0;
  } catch (const std::exception&) {
    return -1;
  }
}

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  StateDict read_group(hid_t group, const std::string& where, int depth) {
    H5O_info_t info;
    check(H5Oget_info2(group, &info, H5O_INFO_BASIC), where);
    if (depth > max_depth || !seen_.insert(info.addr).second)
      refuse(where, "is a group that is nested too deep or linked more than once");
    std::vector<Link> links;
    check(H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_link, &links), where);
    StateDict state;
    for (const Link& link : links) {
      const std::string name = where + "/" + link.name;
      if (link.type != H5L_TYPE_HARD) refuse(name, "is a soft or external link, which is not followed");
      const Handle object(H5Oopen(group, link.name.c_str(), H5P_DEFAULT), H5Oclose);
      check(object, name);
      switch (H5Iget_type(object)) {
        case H5I_GROUP:
          state.set(link.name, read_group(object, name, depth + 1));
          break;
        case H5I_DATASET:
          read_dataset(object, name, link.name, state);
          break;
        default:
          refuse(name, "is neither a group nor a dataset");
      }
    }
    return state;
  }

 private:
  void read_dataset(hid_t data, const std::string& where, const std::string& key, StateDict& state) {
    const Handle type(H5Dget_type(data), H5Tclose);
    const Handle space(H5Dget_space(data), H5Sclose);
    check(type, where);
    check(space, where);
    if (H5Tget_class(type) == H5T_STRING) {
      state.set(key, read_text(data, type, space, where));
      return;
    }
    const Array array = read_array(data, type, space, where);
    const bool number = array.rank() == 0 && H5Aexists(data, array_mark) <= 0;
    if (number && array.dtype() == int64)
      state.set(key, *array.data<int64_t>());
    else if (number && array.dtype() == float64)
      state.set(key, *array.data<double>());
    else
      state.set(key, array);
  }

  Array read_array(hid_t data, hid_t type, hid_t space, const std::string& where) {
    const DType dtype = dtype_of_file(type, where);
    const int rank = H5Sget_simple_extent_ndims(space);
    if (H5Sget_simple_extent_type(space) == H5S_NULL || rank < 0 || rank > Shape::max_rank)
      refuse(where, str("has no shape of at most ", Shape::max_rank, " axes"));
    hsize_t extents[Shape::max_rank] = {};
    check(H5Sget_simple_extent_dims(space, extents, nullptr), where);
    std::vector<int64_t> shape;
    for (int axis = 0; axis < rank; ++axis) {
      if (extents[axis] > INT64_MAX) refuse(where, "has an axis longer than 2^63 - 1");
      shape.push_back(static_cast<int64_t>(extents[axis]));
    }
    const Shape whole{std::span<const int64_t>(shape)};
    if (whole.size() > 0) check_stored(data, whole, dtype, H5Tget_size(type), where);
    Array array(whole, dtype);
    if (array.size() == 0) return array;
    std::optional<BFloat16Conversion> conversion;
    if (dtype == float32 && H5Tget_size(type) < size_of(dtype)) conversion.emplace();
    check(H5Dread(data, type_for(dtype), H5S_ALL, H5S_ALL, H5P_DEFAULT, array.mutable_bytes()), where);
    if (dtype == boolean) {
      const auto* bytes = static_cast<const uint8_t*>(array.bytes());
      if (std::any_of(bytes, bytes + array.size(), [](uint8_t byte) { return byte > 1; }))
        refuse(where, "holds bools that are neither 0 nor 1");
    }
    return array;
  }

  /// A shape may claim more than the file holds, which no memory should be asked for.
  void check_stored(hid_t data, const Shape& shape, DType dtype, size_t element, const std::string& where) {
    const Handle properties(H5Dget_create_plist(data), H5Pclose);
    check(properties, where);
    if (H5Pget_layout(properties) == H5D_VIRTUAL || H5Pget_external_count(properties) > 0)
      refuse(where, "keeps its values in other files");
    const uint64_t stored = H5Dget_storage_size(data);
    const bool whole = H5Pget_layout(properties) == H5D_CHUNKED
                           ? has_all_chunks(data, properties, shape, where)
                           : stored / element == static_cast<uint64_t>(shape.size());
    if (!whole)
      refuse(where, str("is ", shape, " ", dtype, ", but only ", stored, " bytes of it are stored"));
  }

  bool has_all_chunks(hid_t data, hid_t properties, const Shape& shape, const std::string& where) {
    hsize_t extents[Shape::max_rank] = {};
    check(H5Pget_chunk(properties, Shape::max_rank, extents), where);
    hsize_t wanted = 1, found = 0;
    for (int axis = 0; axis < shape.rank(); ++axis)
      wanted *= (static_cast<hsize_t>(shape[axis]) - 1) / extents[axis] + 1;
    const Handle space(H5Dget_space(data), H5Sclose);
    check(H5Dget_num_chunks(data, space, &found), where);
    return found == wanted;
  }

  DType dtype_of_file(hid_t type, const std::string& where) {
    const auto is = [&](hid_t little, hid_t big) {
      return H5Tequal(type, little) > 0 || H5Tequal(type, big) > 0;
    };
    if (is(H5T_IEEE_F32LE, H5T_IEEE_F32BE)) return float32;
    if (is(H5T_IEEE_F64LE, H5T_IEEE_F64BE)) return float64;
    if (H5Tequal(type, bfloat16_type()) > 0) return float32;
    if (is(H5T_STD_I32LE, H5T_STD_I32BE)) return int32;
    if (is(H5T_STD_I64LE, H5T_STD_I64BE)) return int64;
    // Of others' files; libhdf5 widens them.
    if (is(H5T_STD_U8LE, H5T_STD_U8BE) || is(H5T_STD_I8LE, H5T_STD_I8BE) ||
        is(H5T_STD_U16LE, H5T_STD_U16BE) || is(H5T_STD_I16LE, H5T_STD_I16BE))
      return int32;
    if (is(H5T_STD_U32LE, H5T_STD_U32BE)) return int64;
    if (H5Tequal(type, bool_type()) > 0) return boolean;
    if (H5Tget_class(type) == H5T_FLOAT) refuse_float(type, where);
    refuse(where, "is of a type other than float32, float64, bfloat16, int32, int64, bool and text");
  }

  [[noreturn]] void refuse_float(hid_t type, const std::string& where) {
    size_t sign = 0, exponent_at = 0, exponent = 0, mantissa_at = 0, mantissa = 0;
    H5Tget_fields(type, &sign, &exponent_at, &exponent, &mantissa_at, &mantissa);
    const char* order = H5Tget_order(type) == H5T_ORDER_LE ? "little-endian" : "not little-endian";
    refuse(where,
           str("is a float of ", 8 * H5Tget_size(type), " bits, ", exponent, " of them exponent (bias ",
               H5Tget_ebias(type), ") and ", mantissa, " mantissa, ", order,
               ": neither float32 nor float64 nor bfloat16 (16 bits, 8 of them exponent (bias 127) and 7 "
               "mantissa, little-endian)"));
  }

  std::string read_text(hid_t data, hid_t type, hid_t space, const std::string& where) {
    const H5S_class_t extent = H5Sget_simple_extent_type(space);
    if (extent == H5S_NULL) return {};
    if (extent != H5S_SCALAR) refuse(where, "is an array of texts; only a single text can be read");
    if (H5Tis_variable_str(type) > 0) {
      char* found = nullptr;
      check(H5Dread(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &found), where);
      std::string text(found != nullptr ? found : "");
      H5free_memory(found);
      return text;
    }
    const size_t length = H5Tget_size(type);
    if (H5Dget_storage_size(data) != length) refuse(where, "is a text that is not stored");
    std::string text(length, '\0');
    check(H5Dread(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()), where);
    const H5T_str_t padding = H5Tget_strpad(type);
    if (padding == H5T_STR_NULLTERM) text.resize(std::min(text.find('\0'), text.size()));
    if (padding == H5T_STR_SPACEPAD) text.resize(text.find_last_not_of(' ') + 1);
    return text;
  }

  void check(hid_t result, const std::string& where) {
    if (result < 0) refuse(where, str("cannot be read: ", library_reason()));
  }
  [[noreturn]] void refuse(const std::string& where, const std::string& why) {
    fail<FileError>(path_, ": '", where.empty() ? "/" : where, "' ", why);
  }

  const std::string& path_;
  std::set<haddr_t> seen_;
};

}  // namespace

StateDict from_hdf5(std::span<const uint8_t> bytes, const std::string& path) {
  if (!is_hdf5(bytes)) fail<FileError>(path, ": is not an HDF5 file");
  const Session session;
  Image image;
  // The driver's interface asks for a writable pointer; a file opened read-only is not written to.
  image.given = const_cast<uint8_t*>(bytes.data());
  const Handle access = in_memory(image);
  H5Pset_file_image(access, image.given, bytes.size());
  const Handle file(H5Fopen(no_file, H5F_ACC_RDONLY, access), H5Fclose);
  if (file < 0) fail<FileError>(path, ": is not a readable HDF5 file: ", library_reason());
  const Handle root(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose);
  try {
    return Reader(path).read_group(root, "", 0);
  } catch (const ShapeError& error) {
    fail<FileError>(path, ": ", error.what());
  } catch (const ValueError& error) {
    fail<FileError>(path, ": ", error.what());
  }
}

StateDict read_hdf5(const std::string& path) {
  const std::vector<uint8_t> bytes = read_file(path);
  return from_hdf5(bytes, path);
}

bool is_hdf5(std::span<const uint8_t> bytes) {
  constexpr uint8_t signature[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  for (size_t at = 0; at + sizeof signature <= bytes.size(); at = at == 0 ? 512 : 2 * at)
    if (std::equal(std::begin(signature), std::end(signature),
                   bytes.begin() + static_cast<std::ptrdiff_t>(at)))
      return true;
  return false;
}

}  // namespace weft
