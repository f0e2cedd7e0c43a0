#include <weft/lib/files/hdf5_file.h>
#include <weft/lib/files/hdf5_internal.h>

#include <algorithm>
#include <optional>

namespace weft {
namespace {

using namespace hdf5;

class Writer {
 public:
  explicit Writer(const Hdf5Options& options)
      : link_(property_list(H5P_LINK_CREATE)),
        group_(property_list(H5P_GROUP_CREATE)),
        dataset_(property_list(H5P_DATASET_CREATE)) {
    if (options.bfloat16) conversion_.emplace();
    H5Pset_char_encoding(link_, H5T_CSET_UTF8);
    H5Pset_obj_track_times(group_, false);
    H5Pset_obj_track_times(dataset_, false);
    H5Pset_fill_time(dataset_, H5D_FILL_TIME_NEVER);
  }

  void write(hid_t group, const StateDict& state, const std::string& path, int depth) {
    if (depth > max_depth)
      fail<ValueError>("to_hdf5: dicts are nested deeper than ", max_depth, " at '", path, "'");
    for (const auto& [key, value] : state.entries()) {
      const Place place{group, key, path + key, depth};
      std::visit([&](const auto& entry) { put(place, entry); }, value);
    }
  }

 private:
  struct Place {
    hid_t group;
    const std::string& key;
    std::string path;
    int depth;
  };

  void put(const Place& place, const std::shared_ptr<StateDict>& dict) {
    const Handle child(H5Gcreate2(place.group, place.key.c_str(), link_, group_, H5P_DEFAULT), H5Gclose);
    check(child, place);
    write(child, *dict, place.path + "/", place.depth + 1);
  }

  void put(const Place& place, const Array& array) {
    const std::vector<hsize_t> extents(array.shape().begin(), array.shape().end());
    const Handle space(H5Screate_simple(array.rank(), extents.data(), nullptr), H5Sclose);
    const bool narrow = conversion_ && array.dtype() == float32;
    const Handle data = put_dataset(place, narrow ? bfloat16_type() : type_for(array.dtype()), space,
                                    type_for(array.dtype()), array.size() > 0 ? array.bytes() : nullptr);
    if (array.rank() > 0 || (array.dtype() != int64 && array.dtype() != float64)) return;
    const Handle mark(H5Acreate2(data, array_mark, H5T_STD_I8LE, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    const int8_t yes = 1;
    check(mark, place);
    check(H5Awrite(mark, H5T_NATIVE_INT8, &yes), place);
  }

  template <class Number>
  void put(const Place& place, Number value) {
    const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Handle type = type_for(dtype_of<Number>());
    put_dataset(place, type, space, type, &value);
  }

  void put(const Place& place, const std::string& text) {
    if (text.size() > INT32_MAX)
      fail<ValueError>("to_hdf5: '", place.path, "' is a text of ", text.size(), " bytes, more than ",
                       INT32_MAX);
    const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type, std::max<size_t>(text.size(), 1));
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    H5Tset_cset(type, H5T_CSET_UTF8);
    const Handle space(H5Screate(text.empty() ? H5S_NULL : H5S_SCALAR), H5Sclose);
    put_dataset(place, type, space, type, text.empty() ? nullptr : text.data());
  }

  /// A dataset of a type, and values that may be of another.
  Handle put_dataset(const Place& place, hid_t type, hid_t space, hid_t values_type, const void* values) {
    Handle data(H5Dcreate2(place.group, place.key.c_str(), type, space, link_, dataset_, H5P_DEFAULT),
                H5Dclose);
    check(data, place);
    if (values != nullptr) check(H5Dwrite(data, values_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), place);
    return data;
  }

  static void check(hid_t result, const Place& place) {
    if (result < 0) fail<MemoryError>("to_hdf5: '", place.path, "' cannot be stored: ", library_reason());
  }

  Handle link_, group_, dataset_;
  std::optional<BFloat16Conversion> conversion_;
};

/// An upper bound (an entry takes some 320 bytes, a dict 740), so that the image is never moved to grow.
size_t most_bytes(const StateDict& state, const Hdf5Options& options) {
  constexpr size_t per_entry = 512, per_dict = 2048;
  size_t bytes = per_dict;
  for (const auto& [key, value] : state.entries()) {
    bytes += per_entry + 2 * key.size();
    if (const auto* array = std::get_if<Array>(&value))
      bytes += options.bfloat16 && array->dtype() == float32 ? array->nbytes() / 2 : array->nbytes();
    if (const auto* text = std::get_if<std::string>(&value)) bytes += text->size();
    if (const auto* dict = std::get_if<std::shared_ptr<StateDict>>(&value))
      bytes += most_bytes(**dict, options);
  }
  return bytes;
}

}  // namespace

size_t most_hdf5_bytes(const StateDict& state, const Hdf5Options& options) {
  return most_bytes(state, options) + increment;
}

size_t hdf5_work_bytes(const StateDict& state) {
  constexpr size_t always = size_t{1} << 20, per_entry = 6 << 10;  // measured: 0.8 MB, and 5.3 KB an entry
  const auto entries = [](const StateDict& dict, const auto& self) -> size_t {
    size_t count = dict.size();
    for (const auto& [key, value] : dict.entries())
      if (const auto* below = std::get_if<std::shared_ptr<StateDict>>(&value)) count += self(**below, self);
    return count;
  };
  return always + per_entry * entries(state, entries);
}

std::vector<uint8_t> to_hdf5(const StateDict& state, size_t user_block, const Hdf5Options& options) {
  const Session session;
  Image image;
  const size_t expected = user_block + most_hdf5_bytes(state, options);
  try {
    image.grown.reserve(expected);
  } catch (const std::exception&) {
    fail<MemoryError>("to_hdf5: no memory for an image of ", expected, " bytes");
  }
  const Handle create = property_list(H5P_FILE_CREATE);
  H5Pset_obj_track_times(create, false);
  if (H5Pset_userblock(create, user_block) < 0)
    fail<ValueError>("to_hdf5: no user block can have ", user_block, " bytes");
  Handle file(H5Fcreate(no_file, H5F_ACC_TRUNC, create, in_memory(image)), H5Fclose);
  if (file < 0) fail<MemoryError>("to_hdf5: cannot begin: ", library_reason());
  Writer(options).write(file, state, "", 0);
  H5Fflush(file, H5F_SCOPE_GLOBAL);
  const ssize_t size = H5Fget_file_image(file, nullptr, 0);
  if (file.close() < 0 || size < 0) fail<MemoryError>("to_hdf5: cannot finish: ", library_reason());
  // The driver grows in steps; the size it gives is without the user block.
  image.grown.resize(static_cast<size_t>(size) + user_block);
  return std::move(image.grown);
}

}  // namespace weft
