// Arrays of pictures of one size, with their labels. Internal to data.
#pragma once

#include <weft/data/pictures/picture_source.h>

namespace weft {

/// Bytes of (extents[0], ...), as IDX has them.
struct ByteArray {
  std::vector<int64_t> extents;
  std::vector<uint8_t> bytes;
};
/// Whether a file's name, and its first bytes where it is there, are those of IDX.
bool is_idx(const std::string& path);
/// IDX of unsigned bytes, compressed or not. FileError for another type, and for one that ends early.
ByteArray read_idx(const std::string& path);

/// The pictures of IDX, .npy or .h5.
std::shared_ptr<const PictureSource> open_picture_array(const std::string& path,
                                                        const PictureSourceOptions& options);

}  // namespace weft
