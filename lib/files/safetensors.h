// safetensors (https://github.com/huggingface/safetensors), the files in which Hugging Face publishes
// weights:
//
//       0  uint64   N, the length of the header, little-endian
//       8  N bytes  JSON, perhaps with spaces behind it:
//                   {"__metadata__": {"format": "pt"}, "name": {"dtype": "F32", "shape": [2, 3],
//                    "data_offsets": [0, 24]}, ...}
//   8 + N           the values, little-endian and row-major; offsets count from here
//
// Reading is strict and takes no size on trust. FileError, which begins with the path and names the tensor,
// for a file shorter than 8 bytes; a header longer than the file or than 100,000,000 bytes, not JSON, not an
// object, with a key twice, or with metadata that are not texts; a tensor with a field missing or too many,
// an unknown dtype, an extent that is no whole number of at least 0, more than 8 axes or more elements than
// an int64 counts; offsets whose length is not that of shape and dtype, that leave a hole, overlap or go past
// the end; bytes behind the last tensor; and a bool that is neither 0 nor 1.
#pragma once

#include <weft/lib/array/array.h>
#include <weft/lib/base/file.h>

#include <cstdint>
#include <map>
#include <string>

namespace weft {

/// A file whose header has been checked and whose values are read one tensor at a time. Several threads may
/// read at once.
class SafetensorsFile {
 public:
  struct Entry {
    /// As the file says it. Read as float32: F16, BF16 (both exactly), F32; float64: F64; int32: I8, U8, I16,
    /// U16, I32; int64: U32, I64; bool: BOOL.
    std::string dtype;
    Shape shape;
    uint64_t begin = 0, end = 0;  ///< bytes, from the first value of the file
  };

  explicit SafetensorsFile(const std::string& path);

  const std::string& path() const { return file_.path(); }
  const std::map<std::string, Entry>& entries() const { return entries_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// The values of one tensor. FileError when there is none of that name.
  Array read(const std::string& name) const;

 private:
  InputFile file_;
  uint64_t values_at_ = 0;
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::string> metadata_;
};

/// All tensors of a file.
std::map<std::string, Array> read_safetensors(const std::string& path);

/// All tensors of a folder in Hugging Face's layout: of model.safetensors or, without one, of the files that
/// `weight_map` in model.safetensors.index.json names. FileError for a folder that holds neither, an index
/// that is not one, a name of a file that leaves the folder, a file that is missing, and a tensor that is not
/// in the file the index gives it to, or in a file the index does not give it to.
std::map<std::string, Array> read_safetensors_folder(const std::string& folder);

/// Writes a file whole or not at all (AtomicFile), arrays of bfloat16 as BF16, which reads as float32. Like the safetensors library it puts wide elements before
/// narrow ones and then goes by name, and pads the header with spaces, so that all values are aligned: equal
/// tensors are equal bytes. ValueError for a name or metadata that are not UTF-8, the name "__metadata__", an
/// array that was never given values, and a header too long to be read again.
void write_safetensors(const std::string& path, const std::map<std::string, Array>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace weft
