#include <weft/data/pictures/formats_internal.h>
#include <weft/data/pictures/pictures_plugin_internal.h>
#include <weft/lib/base/error.h>
#include <weft/lib/machine/plugin.h>

#include <algorithm>

namespace weft {
namespace {

using Bytes = std::span<const uint8_t>;

/// What passes through C.
struct Exchange {
  std::string path;
  int64_t height = 0, width = 0, channels = 0;
  std::vector<uint8_t> pixels = {};
  std::string error = {};
};

unsigned char* start(void* self, size_t height, size_t width, size_t channels) {
  auto& to = *static_cast<Exchange*>(self);
  try {
    to.height = static_cast<int64_t>(height);
    to.width = static_cast<int64_t>(width);
    to.channels = static_cast<int64_t>(channels);
    check_pixels(to.height, to.width, to.path);
    to.pixels.resize(height * width * channels);
    return to.pixels.data();
  } catch (const std::exception& error) {
    to.error = error.what();
    return nullptr;
  }
}

weft_picture_decode_function* loaded(const char* function) {
  return reinterpret_cast<weft_picture_decode_function*>(
      plugin_function({.library = pictures_plugin,
                       .function = function,
                       .purpose = "reading PNG and JPEG",
                       .needs = "libpng-dev and libjpeg-dev"}));
}

Picture decoded(weft_picture_decode_function* decode, Bytes bytes, const std::string& path) {
  Exchange exchange{.path = path};
  const weft_picture_request request{.bytes = bytes.data(),
                                     .size = bytes.size(),
                                     .self = &exchange,
                                     .start = start,
                                     .take_error = [](void* self, const char* text) {
                                       auto& to = *static_cast<Exchange*>(self);
                                       to.error = str(to.path, ": cannot be decoded: ", text);
                                     }};
  decode(&request);
  if (!exchange.error.empty()) fail<FileError>(exchange.error);
  if (exchange.channels == 2 || exchange.channels == 4)
    return on_white(exchange.height, exchange.width, exchange.channels, exchange.pixels);
  return {{exchange.height, exchange.width, exchange.channels}, std::move(exchange.pixels)};
}

int64_t big_endian(Bytes bytes, size_t at, size_t count) {
  int64_t number = 0;
  for (size_t i = 0; i < count; ++i) number = number << 8 | bytes[at + i];
  return number;
}

constexpr uint8_t png_signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

bool is_png(Bytes bytes) {
  return bytes.size() >= sizeof png_signature &&
         std::ranges::equal(bytes.first(sizeof png_signature), png_signature);
}

/// Its first chunk, IHDR, has the width at 16, the height at 20 and the kind of pixels at 25.
PictureShape shape_of_png(Bytes bytes, const std::string& path) {
  if (bytes.size() < 26) fail<FileError>(path, ": ends early: ", bytes.size(), " bytes of a PNG");
  constexpr uint8_t colour = 2;
  return {big_endian(bytes, 20, 4), big_endian(bytes, 16, 4), (bytes[25] & colour) != 0 ? 3 : 1};
}

bool is_jpeg(Bytes bytes) {
  return bytes.size() >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF;
}

/// Of its segments, each a marker and a length, the one that begins a frame has the size.
PictureShape shape_of_jpeg(Bytes bytes, const std::string& path) {
  size_t at = 2;
  while (at + 9 < bytes.size()) {
    if (bytes[at] != 0xFF) fail<FileError>(path, ": no segment of a JPEG begins at byte ", at);
    const uint8_t marker = bytes[at + 1];
    if (marker == 0xFF) {  // filling
      ++at;
      continue;
    }
    const bool frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (frame)
      return {big_endian(bytes, at + 5, 2), big_endian(bytes, at + 7, 2), bytes[at + 9] == 1 ? 1 : 3};
    const bool alone = marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);
    at += alone ? 2 : 2 + static_cast<size_t>(big_endian(bytes, at + 2, 2));
  }
  fail<FileError>(path, ": ends early: no frame among ", bytes.size(), " bytes of a JPEG");
}

}  // namespace

Picture on_white(int64_t height, int64_t width, int64_t channels, const std::vector<uint8_t>& pixels) {
  const int64_t colours = channels - 1;
  Picture made{{height, width, colours}, {}};
  made.pixels.reserve(static_cast<size_t>(height * width * colours));
  for (size_t at = 0; at < pixels.size(); at += static_cast<size_t>(channels)) {
    const int opacity = pixels[at + static_cast<size_t>(colours)];
    for (size_t c = 0; c < static_cast<size_t>(colours); ++c)
      made.pixels.push_back(
          static_cast<uint8_t>((pixels[at + c] * opacity + 255 * (255 - opacity) + 127) / 255));
  }
  return made;
}

PictureFormat png_format() {
  return {.name = "png",
          .endings = {".png"},
          .is = is_png,
          .shape = shape_of_png,
          .decode = [](Bytes bytes, const std::string& path) {
            static weft_picture_decode_function* const decode = loaded(png_function);
            return decoded(decode, bytes, path);
          }};
}

PictureFormat jpeg_format() {
  return {.name = "jpeg",
          .endings = {".jpg", ".jpeg"},
          .is = is_jpeg,
          .shape = shape_of_jpeg,
          .decode = [](Bytes bytes, const std::string& path) {
            static weft_picture_decode_function* const decode = loaded(jpeg_function);
            return decoded(decode, bytes, path);
          }};
}

}  // namespace weft
