#include <weft/data/pictures/fit.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <cmath>

namespace weft {
namespace {

constexpr int bits = 22;

/// What one pixel is made of: `weights` of the pixels from `first` on.
struct Window {
  int64_t first = 0;
  std::vector<int32_t> weights;
};

std::vector<Window> windows_of(int64_t from, int64_t to) {
  const double step = static_cast<double>(from) / static_cast<double>(to), reach = std::max(1.0, step);
  std::vector<Window> all;
  for (int64_t place = 0; place < to; ++place) {
    const double middle = (static_cast<double>(place) + 0.5) * step;
    const auto first = std::max<int64_t>(0, static_cast<int64_t>(middle - reach + 0.5));
    const auto end = std::min<int64_t>(from, static_cast<int64_t>(middle + reach + 0.5));
    std::vector<double> weights;
    double sum = 0;
    for (int64_t x = first; x < end; ++x) {
      const double distance = std::abs((static_cast<double>(x) - middle + 0.5) / reach);
      sum += weights.emplace_back(distance < 1 ? 1 - distance : 0);
    }
    Window window{first, {}};
    for (const double weight : weights)
      window.weights.push_back(static_cast<int32_t>(0.5 + weight / sum * (1 << bits)));
    all.push_back(std::move(window));
  }
  return all;
}

/// Scales the middle axis of (outer, extent, inner).
std::vector<uint8_t> scaled(const std::vector<uint8_t>& pixels, int64_t outer, int64_t extent, int64_t inner,
                            int64_t to) {
  if (extent == to) return pixels;
  const std::vector<Window> windows = windows_of(extent, to);
  std::vector<uint8_t> made(static_cast<size_t>(outer * to * inner));
  uint8_t* out = made.data();
  for (int64_t o = 0; o < outer; ++o)
    for (const Window& window : windows)
      for (int64_t i = 0; i < inner; ++i) {
        int64_t sum = 1 << (bits - 1);
        const uint8_t* in = pixels.data() + (o * extent + window.first) * inner + i;
        for (const int32_t weight : window.weights) {
          sum += int64_t{*in} * weight;
          in += inner;
        }
        *out++ = static_cast<uint8_t>(std::clamp<int64_t>(sum >> bits, 0, 255));
      }
  return made;
}

/// Half of it, to even where that is no whole number, as Python's round().
int64_t half(int64_t value) { return value / 2 + (value % 2 == 1 && value / 2 % 2 == 1 ? 1 : 0); }

uint8_t grey_of(const uint8_t* rgb) {
  return static_cast<uint8_t>((19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + (1 << 15)) >> 16);
}

Picture with_channels(const Picture& picture, int64_t channels) {
  if (picture.shape.channels == channels) return picture;
  Picture made{{picture.shape.height, picture.shape.width, channels}, {}};
  made.pixels.reserve(picture.pixels.size() * static_cast<size_t>(channels));
  if (channels == 1)
    for (size_t at = 0; at < picture.pixels.size(); at += 3)
      made.pixels.push_back(grey_of(&picture.pixels[at]));
  else
    for (const uint8_t grey : picture.pixels) made.pixels.insert(made.pixels.end(), 3, grey);
  return made;
}

/// Where a picture goes that is scaled and put into a square.
struct FitPlace {
  int64_t rows, columns;  ///< of the scaled picture
  int64_t side;
  int64_t top, left, below, right;  ///< where the square begins in it, or it in the square

  FitPlace(int64_t h, int64_t w, Fit how, int64_t side_of_square) : side(side_of_square) {
    const int64_t scale_to = how == Fit::crop ? std::min(h, w) : std::max(h, w);
    const auto of = [&](int64_t extent) {
      return how == Fit::stretch ? side : std::max<int64_t>(1, side * extent / scale_to);
    };
    rows = of(h);
    columns = of(w);
    top = half(std::max<int64_t>(0, rows - side));
    left = half(std::max<int64_t>(0, columns - side));
    below = half(std::max<int64_t>(0, side - rows));
    right = half(std::max<int64_t>(0, side - columns));
  }
  /// Calls put(its number in the scaled picture, its number in the square).
  template <class Put>
  void each_pixel(Put put) const {
    for (int64_t y = 0; y < std::min(rows, side); ++y)
      for (int64_t x = 0; x < std::min(columns, side); ++x)
        put((top + y) * columns + left + x, (below + y) * side + right + x);
  }
};

}  // namespace

Fit fit_from(std::string_view name) {
  if (name == "crop") return Fit::crop;
  if (name == "pad") return Fit::pad;
  if (name == "stretch") return Fit::stretch;
  fail<ValueError>("fit: must be crop, pad or stretch, not '", name, "'");
}

Picture resized(const Picture& picture, int64_t height, int64_t width) {
  if (height < 1 || width < 1) fail<ValueError>("resized: no pixels in ", height, " x ", width);
  const auto [h, w, c] = picture.shape;
  return {{height, width, c}, scaled(scaled(picture.pixels, h, w, c, width), 1, h, width * c, height)};
}

void fit_picture(const Picture& given, Fit how, int64_t channels, int64_t side, std::span<uint8_t> to) {
  if (channels != 1 && channels != 3)
    fail<ValueError>("fit_picture: channels must be 1 or 3, not ", channels);
  if (side < 1 || std::ssize(to) != channels * side * side)
    fail<ValueError>("fit_picture: ", to.size(), " bytes are not ", channels, " x ", side, " x ", side);
  const Picture picture = with_channels(given, channels);
  const auto [h, w, c] = picture.shape;
  const FitPlace place(h, w, how, side);
  const Picture made = resized(picture, place.rows, place.columns);
  std::ranges::fill(to, uint8_t{0});
  for (int64_t channel = 0; channel < channels; ++channel)
    place.each_pixel([&](int64_t from, int64_t at) {
      to[static_cast<size_t>(channel * side * side + at)] =
          made.pixels[static_cast<size_t>(from * channels + channel)];
    });
}

void fit_mask(const std::vector<uint8_t>& mask, int64_t height, int64_t width, Fit how, int64_t side,
              std::span<uint8_t> to) {
  if (height < 1 || width < 1 || std::ssize(mask) != height * width || side < 1 ||
      std::ssize(to) != side * side)
    fail<ValueError>("fit_mask: ", mask.size(), " classes and ", to.size(), " are not ", height, " x ", width,
                     " and ", side, " x ", side);
  const FitPlace place(height, width, how, side);
  std::ranges::fill(to, no_class);
  place.each_pixel([&](int64_t from, int64_t at) {
    const int64_t y = from / place.columns, x = from % place.columns;
    const int64_t row = (2 * y + 1) * height / (2 * place.rows),
                  column = (2 * x + 1) * width / (2 * place.columns);
    to[static_cast<size_t>(at)] = mask[static_cast<size_t>(row * width + column)];
  });
}

}  // namespace weft
