// Between weft and its plug-in libweft-pictures.so, which is linked with libpng and libjpeg, as weft is not. In C, so that
// the two may be built apart. Internal to data.
#pragma once

#include <cstddef>

extern "C" {

struct weft_picture_request {
  const unsigned char* bytes;
  size_t size;
  void* self;
  /// Memory for rows of `width` pixels of `channels` bytes: 1 grey, 2 grey and opacity, 3 red, green and blue, 4 those and
  /// opacity. nullptr refuses; the plug-in then returns.
  unsigned char* (*start)(void* self, size_t height, size_t width, size_t channels);
  /// Takes what was wrong.
  void (*take_error)(void* self, const char* text);
};

/// The plug-in's functions: all pixels are there, or take_error or start has said why not. No exception leaves them, and
/// none may come in.
using weft_picture_decode_function = void(const weft_picture_request*);

}  // extern "C"

namespace weft {
inline constexpr const char* pictures_plugin = "libweft-pictures.so";
inline constexpr const char* png_function = "weft_png_decode_1";  ///< 1: of this request
inline constexpr const char* jpeg_function = "weft_jpeg_decode_1";
}  // namespace weft
