// Pictures for tests.
#pragma once

#include <weft/data/pictures/picture.h>

#include <string>

namespace weft::test {

/// A picture of (x, y, channel) as PPM or PGM.
template <class Pixel>
std::string netpbm(int64_t height, int64_t width, int64_t channels, Pixel pixel) {
  std::string bytes =
      (channels == 3 ? "P6\n" : "P5\n") + std::to_string(width) + " " + std::to_string(height) + "\n255\n";
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t c = 0; c < channels; ++c) bytes += static_cast<char>(pixel(x, y, c));
  return bytes;
}

inline std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace weft::test
