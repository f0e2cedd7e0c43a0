#include <hdf5.h>
#include <weft/lib/base/file.h>
#include <weft/lib/files/hdf5_file.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <set>
#include <utility>

namespace weft {
namespace {

constexpr int max_depth = 32;
/// Bytes by which the driver grows its memory.
constexpr size_t increment = size_t{1} << 16;
constexpr const char* array_mark = "array";
/// libhdf5 looks for a file of the name even when it works in memory; under a device there can be none.
constexpr const char* no_file = "/dev/null/state";

/// One user of libhdf5 at a time, who hears of errors by return codes and not on standard error.
class Session {
 public:
  Session() : lock_(mutex()) {
    H5Eget_auto2(H5E_DEFAULT, &print_, &client_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~Session() { H5Eset_auto2(H5E_DEFAULT, print_, client_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

 private:
  static std::mutex& mutex() {
    static std::mutex only;
    return only;
  }
  std::lock_guard<std::mutex> lock_;
  H5E_auto2_t print_ = nullptr;
  void* client_ = nullptr;
};

/// libhdf5's reason for the last failure: the innermost entry of its error stack.
std::string library_reason() {
  std::string text;
  const auto take = [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
    if (error->desc != nullptr) *static_cast<std::string*>(out) = error->desc;
    return 1;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take, &text);
  return text.empty() ? "no reason given" : text;
}

/// Owns an identifier.
class Handle {
 public:
  Handle(hid_t id, herr_t (*closer)(hid_t)) : id_(id), close_(closer) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle& operator=(Handle&&) = delete;
  operator hid_t() const { return id_; }
  herr_t close() { return close_(std::exchange(id_, -1)); }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

Handle property_list(hid_t kind) { return {H5Pcreate(kind), H5Pclose}; }

/// h5py's bool.
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
    case DType::boolean:
      break;
  }
  static_assert(sizeof(bool) == 1);
  return bool_type();
}

/// The memory under libhdf5's core driver is a vector of ours, so that nothing is copied in or out of it.
/// While writing, the driver grows it; while reading, `given` is lent to the driver.
struct Image {
  std::vector<uint8_t> grown;
  void* given = nullptr;

  static void* allocate(size_t size, H5FD_file_image_op_t, void* self) {
    return resize(nullptr, size, {}, self);
  }
  static void* resize(void*, size_t size, H5FD_file_image_op_t, void* self) {
    auto& image = *static_cast<Image*>(self);
    if (image.given != nullptr) return image.given;
    try {
      image.grown.resize(size);
    } catch (const std::exception&) {
      return nullptr;
    }
    return image.grown.data();
  }
  static void* copy(void* to, const void* from, size_t size, H5FD_file_image_op_t, void*) {
    return to == from ? to : std::memcpy(to, from, size);
  }
  static herr_t keep(void*, H5FD_file_image_op_t, void*) { return 0; }
  static void* same(void* self) { return self; }
  static herr_t forget(void*) { return 0; }
};

/// File access in memory, over `image`.
Handle in_memory(Image& image) {
  H5FD_file_image_callbacks_t callbacks{Image::allocate, Image::copy,   Image::resize, Image::keep,
                                        Image::same,     Image::forget, &image};
  Handle access = property_list(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, increment, 0);
  H5Pset_file_image_callbacks(access, &callbacks);
  return access;
}

// ---- writing

class Writer {
 public:
  Writer()
      : link_(property_list(H5P_LINK_CREATE)),
        group_(property_list(H5P_GROUP_CREATE)),
        dataset_(property_list(H5P_DATASET_CREATE)) {
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
    const Handle data =
        put_dataset(place, type_for(array.dtype()), space, array.size() > 0 ? array.bytes() : nullptr);
    if (array.rank() > 0 || (array.dtype() != int64 && array.dtype() != float64)) return;
    const Handle mark(H5Acreate2(data, array_mark, H5T_STD_I8LE, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    const int8_t yes = 1;
    check(mark, place);
    check(H5Awrite(mark, H5T_NATIVE_INT8, &yes), place);
  }

  template <class Number>
  void put(const Place& place, Number value) {
    const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    put_dataset(place, type_for(dtype_of<Number>()), space, &value);
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
    put_dataset(place, type, space, text.empty() ? nullptr : text.data());
  }

  Handle put_dataset(const Place& place, hid_t type, hid_t space, const void* values) {
    Handle data(H5Dcreate2(place.group, place.key.c_str(), type, space, link_, dataset_, H5P_DEFAULT),
                H5Dclose);
    check(data, place);
    if (values != nullptr) check(H5Dwrite(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), place);
    return data;
  }

  static void check(hid_t result, const Place& place) {
    if (result < 0) fail<MemoryError>("to_hdf5: '", place.path, "' cannot be stored: ", library_reason());
  }

  Handle link_, group_, dataset_;
};

/// An upper bound (an entry takes some 320 bytes, a dict 740), so that the image is never moved to grow.
size_t most_bytes(const StateDict& state) {
  constexpr size_t per_entry = 512, per_dict = 2048;
  size_t bytes = per_dict;
  for (const auto& [key, value] : state.entries()) {
    bytes += per_entry + 2 * key.size();
    if (const auto* array = std::get_if<Array>(&value)) bytes += array->nbytes();
    if (const auto* text = std::get_if<std::string>(&value)) bytes += text->size();
    if (const auto* dict = std::get_if<std::shared_ptr<StateDict>>(&value)) bytes += most_bytes(**dict);
  }
  return bytes;
}

// ---- reading

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
    if (whole.size() > 0) check_stored(data, whole, dtype, where);
    Array array(whole, dtype);
    if (array.size() == 0) return array;
    check(H5Dread(data, type_for(dtype), H5S_ALL, H5S_ALL, H5P_DEFAULT, array.mutable_bytes()), where);
    if (dtype == boolean) {
      const auto* bytes = static_cast<const uint8_t*>(array.bytes());
      if (std::any_of(bytes, bytes + array.size(), [](uint8_t byte) { return byte > 1; }))
        refuse(where, "holds bools that are neither 0 nor 1");
    }
    return array;
  }

  /// A shape may claim more than the file holds, which no memory should be asked for.
  void check_stored(hid_t data, const Shape& shape, DType dtype, const std::string& where) {
    const Handle properties(H5Dget_create_plist(data), H5Pclose);
    check(properties, where);
    if (H5Pget_layout(properties) == H5D_VIRTUAL || H5Pget_external_count(properties) > 0)
      refuse(where, "keeps its values in other files");
    const uint64_t stored = H5Dget_storage_size(data);
    const bool whole = H5Pget_layout(properties) == H5D_CHUNKED
                           ? has_all_chunks(data, properties, shape, where)
                           : stored / size_of(dtype) == static_cast<uint64_t>(shape.size());
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
    if (is(H5T_STD_I32LE, H5T_STD_I32BE)) return int32;
    if (is(H5T_STD_I64LE, H5T_STD_I64BE)) return int64;
    if (H5Tequal(type, bool_type()) > 0) return boolean;
    refuse(where, "is of a type other than float32, float64, int32, int64, bool and text");
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

size_t most_hdf5_bytes(const StateDict& state) { return most_bytes(state) + increment; }

std::vector<uint8_t> to_hdf5(const StateDict& state, size_t user_block) {
  const Session session;
  Image image;
  const size_t expected = user_block + most_hdf5_bytes(state);
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
  Writer().write(file, state, "", 0);
  H5Fflush(file, H5F_SCOPE_GLOBAL);
  const ssize_t size = H5Fget_file_image(file, nullptr, 0);
  if (file.close() < 0 || size < 0) fail<MemoryError>("to_hdf5: cannot finish: ", library_reason());
  // The driver grows in steps; the size it gives is without the user block.
  image.grown.resize(static_cast<size_t>(size) + user_block);
  return std::move(image.grown);
}

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
