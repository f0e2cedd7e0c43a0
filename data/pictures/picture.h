// Pictures as files hold them: PNG, JPEG, PPM and its kin, NumPy's arrays.
//
//   const Picture picture = read_picture("cat.jpg");
//
// PNG and JPEG are read by a plug-in, libweft-pictures.so, which is loaded with the first of them.
#pragma once

#include <weft/lib/settings/registry.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// The shape of a picture, as its file says before anything is decoded.
struct PictureShape {
  int64_t height = 0, width = 0;
  int64_t channels = 0;  ///< 1 grey; 3 red, green and blue
  bool operator==(const PictureShape&) const = default;
};

struct Picture {
  PictureShape shape;
  std::vector<uint8_t> pixels;  ///< (height, width, channels)
};

/// Pixels that a picture may have.
inline constexpr int64_t most_pixels = int64_t{1} << 26;

/// What a kind of file is. One of a user's is known after register_picture_format({.name = "mine", ...}).
struct PictureFormat {
  std::string name;
  std::vector<std::string> endings;  ///< ".png"
  /// Whether the bytes begin as such a file does.
  std::function<bool(std::span<const uint8_t> bytes)> is;
  /// Both throw FileError that begins with the path. Of grey with opacity, or of palettes, the shape may have 3 channels
  /// where the picture has 1.
  std::function<PictureShape(std::span<const uint8_t> bytes, const std::string& path)> shape;
  std::function<Picture(std::span<const uint8_t> bytes, const std::string& path)> decode;
};
/// The registry, in which ours are from the start: png, jpeg, pnm, npy.
Registry<PictureFormat>& picture_formats();
/// ValueError for a name that is taken.
void register_picture_format(PictureFormat format);

/// Whether a file's ending is that of a picture.
bool is_picture_name(std::string_view path);

/// What a file is, is told by its bytes. Pixels of more than 8 bits are rounded to 8; what is transparent shows white;
/// colours are taken as they are, without gamma and profiles, and lie as the file has them, whatever it says of how the camera
/// was held. FileError, beginning with the path, for what is no picture, is damaged, ends early, or has more than most_pixels.
Picture decode_picture(std::span<const uint8_t> bytes, const std::string& path);
PictureShape picture_shape(std::span<const uint8_t> bytes, const std::string& path);
Picture read_picture(const std::string& path);

/// FileError for a picture without pixels, or with more than most_pixels.
void check_pixels(int64_t height, int64_t width, const std::string& path);

}  // namespace weft
