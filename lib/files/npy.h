// NumPy's file format for one array (numpy.lib.format, versions 1.0 to 3.0): numpy.load and numpy.save.
#pragma once

#include <weft/lib/array/array.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weft {

/// What the header of such a file says.
struct NpyHeader {
  std::string type;              ///< as NumPy writes it: "<f4", "|u1"
  std::vector<int64_t> extents;  ///< of the axes
  uint64_t data = 0;             ///< the byte at which the values begin, in C order
};
/// Whether the bytes begin as such a file does.
bool is_npy(std::span<const uint8_t> bytes);
/// Reads it, whatever the type, from the bytes of a file of `size`, or from as many of its first bytes as a header may have
/// (npy_header_bytes). FileError as read_npy's, and where the values of a type of single numbers do not fill the file.
NpyHeader read_npy_header(std::span<const uint8_t> beginning, uint64_t size, const std::string& path);
inline constexpr uint64_t npy_header_bytes = 10'012;

/// Arrays of float32, float64, int32, int64 and bool, little-endian and in C order. FileError that begins
/// with the path for a file that is none, is cut short or longer than its header says, or holds another type
/// or order, with the line of NumPy that makes it fit.
Array read_npy(const std::string& path);

/// Writes version 1.0, whole or not at all (AtomicFile).
void write_npy(const std::string& path, const Array& array);

}  // namespace weft
