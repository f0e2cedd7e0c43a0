// NumPy's file format for one array (numpy.lib.format, versions 1.0 to 3.0): numpy.load and numpy.save.
#pragma once

#include <weft/lib/array/array.h>

#include <string>

namespace weft {

/// Arrays of float32, float64, int32, int64 and bool, little-endian and in C order. FileError that begins
/// with the path for a file that is none, is cut short or longer than its header says, or holds another type
/// or order, with the line of NumPy that makes it fit.
Array read_npy(const std::string& path);

/// Writes version 1.0, whole or not at all (AtomicFile).
void write_npy(const std::string& path, const Array& array);

}  // namespace weft
