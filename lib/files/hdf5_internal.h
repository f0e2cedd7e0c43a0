// What writing and reading HDF5 share: errors, identifiers, element types, files in memory. Internal to lib.
#pragma once

#include <hdf5.h>
#include <weft/lib/array/dtype.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace weft::hdf5 {

constexpr int max_depth = 32;
/// Bytes by which the driver grows its memory.
constexpr size_t increment = size_t{1} << 16;
constexpr const char* array_mark = "array";
/// libhdf5 looks for a file of the name even when it works in memory; under a device there can be none.
constexpr const char* no_file = "/dev/null/state";

/// One user of libhdf5 at a time, who hears of errors by return codes and not on standard error.
class Session {
 public:
  Session();
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

 private:
  std::lock_guard<std::mutex> lock_;
  H5E_auto2_t print_ = nullptr;
  void* client_ = nullptr;
};

/// libhdf5's reason for the last failure: the innermost entry of its error stack.
std::string library_reason();

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

Handle property_list(hid_t kind);

/// The type in files of a type of ours.
Handle type_for(DType dtype);
/// h5py's bool.
Handle bool_type();
/// Of float32 values that are kept in two bytes (base/bfloat16.h): a float of HDF5 like any other, which h5py
/// reads as float32.
Handle bfloat16_type();

/// While it lives, libhdf5 converts between float32 and bfloat16 by base/bfloat16.h, piece by piece; its own
/// conversion of floats that it does not know is slow, and does not promise how it rounds.
class BFloat16Conversion {
 public:
  BFloat16Conversion();
  ~BFloat16Conversion();
  BFloat16Conversion(const BFloat16Conversion&) = delete;
  BFloat16Conversion& operator=(const BFloat16Conversion&) = delete;

 private:
  Handle wide_, narrow_;
};

/// The memory under libhdf5's core driver is a vector of ours, so that nothing is copied in or out of it.
/// While writing, the driver grows it; while reading, `given` is lent to the driver.
struct Image {
  std::vector<uint8_t> grown;
  void* given = nullptr;
};

/// File access in memory, over `image`.
Handle in_memory(Image& image);

}  // namespace weft::hdf5
