#include <weft/data/pictures/augment.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/math.h>

#include <algorithm>
#include <cmath>

namespace weft {
namespace {

constexpr double pi = 3.14159265358979323846;

/// Where a pixel of the view, counted from its middle, lies in the picture.
struct Affine {
  double xx = 1, xy = 0, yx = 0, yy = 1;  ///< (x, y) -> (xx x + xy y + at_x, yx x + yy y + at_y)
  double at_x = 0, at_y = 0;
};

float number_of(double pixel) { return static_cast<float>(pixel / 127.5 - 1); }

double between(Draws& draws, double low, double high) { return low + (high - low) * draws.uniform(); }

Affine whole_of(int64_t whole, int64_t side) {
  const double scale = static_cast<double>(whole) / static_cast<double>(side);
  const double middle = static_cast<double>(whole) / 2;
  return {.xx = scale, .yy = scale, .at_x = middle, .at_y = middle};
}

Affine drawn(const AugmentOptions& o, int64_t whole, int64_t side, Draws& draws) {
  Affine view = whole_of(whole, side);
  const auto width = static_cast<double>(whole);
  if (o.crop > 0) {
    const double share = std::sqrt(between(draws, 1 - o.crop, 1.0)), free = width * (1 - share) / 2;
    view.xx *= share;
    view.yy *= share;
    view.at_x += between(draws, -free, free);
    view.at_y += between(draws, -free, free);
  }
  if (o.scale > 0) {
    const double most = math::log(1 + o.scale), factor = math::exp(between(draws, -most, most));
    view.xx /= factor;
    view.yy /= factor;
  }
  if (o.rotate > 0) {
    const double angle = between(draws, -o.rotate, o.rotate) * pi / 180;
    const double c = math::cos(angle), s = math::sin(angle), x = view.xx, y = view.yy;
    view.xx = x * c;
    view.xy = y * s;
    view.yx = -x * s;
    view.yy = y * c;
  }
  if (o.shift > 0) {
    view.at_x += between(draws, -o.shift, o.shift) * width;
    view.at_y += between(draws, -o.shift, o.shift) * width;
  }
  if (o.flip > 0 && draws.chance(o.flip)) {
    view.xx = -view.xx;
    view.yx = -view.yx;
  }
  return view;
}

void sample(std::span<const uint8_t> picture, int64_t channels, int64_t whole, int64_t side,
            const Affine& view, std::span<float> to) {
  const double middle = static_cast<double>(side) / 2, edge = static_cast<double>(whole - 1);
  for (int64_t row = 0; row < side; ++row)
    for (int64_t column = 0; column < side; ++column) {
      const double dx = static_cast<double>(column) + 0.5 - middle,
                   dy = static_cast<double>(row) + 0.5 - middle;
      const double x = std::clamp(view.xx * dx + view.xy * dy + view.at_x - 0.5, 0.0, edge);
      const double y = std::clamp(view.yx * dx + view.yy * dy + view.at_y - 0.5, 0.0, edge);
      const auto x0 = static_cast<int64_t>(x), y0 = static_cast<int64_t>(y);
      const int64_t x1 = std::min(x0 + 1, whole - 1), y1 = std::min(y0 + 1, whole - 1);
      const double right = x - static_cast<double>(x0), below = y - static_cast<double>(y0);
      for (int64_t channel = 0; channel < channels; ++channel) {
        const uint8_t* const plane = picture.data() + channel * whole * whole;
        const double top = plane[y0 * whole + x0] * (1 - right) + plane[y0 * whole + x1] * right;
        const double bottom = plane[y1 * whole + x0] * (1 - right) + plane[y1 * whole + x1] * right;
        to[static_cast<size_t>((channel * side + row) * side + column)] =
            number_of(top * (1 - below) + bottom * below);
      }
    }
}

void sample_mask(std::span<const uint8_t> mask, int64_t whole, int64_t side, const Affine& view,
                 std::span<uint8_t> to) {
  if (whole < 1 || side < 1 || std::ssize(mask) != whole * whole || std::ssize(to) != side * side)
    fail<ValueError>("augment: ", mask.size(), " classes and ", to.size(), " are not ", whole, "^2 and ",
                     side, "^2");
  const double middle = static_cast<double>(side) / 2, edge = static_cast<double>(whole - 1);
  const auto nearest = [edge](double at) {
    return static_cast<int64_t>(std::clamp(std::floor(at), 0.0, edge));
  };
  for (int64_t row = 0; row < side; ++row)
    for (int64_t column = 0; column < side; ++column) {
      const double dx = static_cast<double>(column) + 0.5 - middle,
                   dy = static_cast<double>(row) + 0.5 - middle;
      const int64_t x = nearest(view.xx * dx + view.xy * dy + view.at_x),
                    y = nearest(view.yx * dx + view.yy * dy + view.at_y);
      to[static_cast<size_t>(row * side + column)] = mask[static_cast<size_t>(y * whole + x)];
    }
}

/// Brightness about black, contrast about the mean.
void change_colour(double most, Draws& draws, std::span<float> to) {
  const double brightness = between(draws, 1 - most, 1 + most), contrast = between(draws, 1 - most, 1 + most);
  double sum = 0;
  for (float& value : to) {
    value = static_cast<float>((value + 1) * brightness - 1);
    sum += value;
  }
  const double mean = sum / static_cast<double>(to.size());
  for (float& value : to) value = static_cast<float>(std::clamp((value - mean) * contrast + mean, -1.0, 1.0));
}

void erase(int64_t channels, int64_t side, Draws& draws, std::span<float> to) {
  const double area = between(draws, 0.02, 0.2) * static_cast<double>(side * side);
  const double most = math::log(3.0), aspect = math::exp(between(draws, -most, most));
  const auto extent = [&](double value) {
    return std::clamp<int64_t>(static_cast<int64_t>(value + 0.5), 1, side);
  };
  const int64_t height = extent(std::sqrt(area * aspect)), width = extent(std::sqrt(area / aspect));
  const int64_t top = draws.between(0, side - height), left = draws.between(0, side - width);
  for (int64_t channel = 0; channel < channels; ++channel)
    for (int64_t y = top; y < top + height; ++y)
      std::fill_n(to.begin() + (channel * side + y) * side + left, width, 0.0F);
}

void check_sizes(std::span<const uint8_t> picture, int64_t channels, int64_t whole, int64_t side,
                 std::span<float> to) {
  if (channels < 1 || whole < 1 || side < 1 || std::ssize(picture) != channels * whole * whole ||
      std::ssize(to) != channels * side * side)
    fail<ValueError>("augment: ", picture.size(), " bytes and ", to.size(), " numbers are not ", channels,
                     " x ", whole, "^2 and ", channels, " x ", side, "^2");
}

}  // namespace

const Settings<AugmentOptions>& AugmentOptions::settings() {
  using O = AugmentOptions;
  static const Settings<O> all = {
      Field(&O::shift, "shift", 0.0, 1.0, "pictures that train: moved by up to this share of the side"),
      Field(&O::rotate, "rotate", 0.0, 180.0, "turned by up to so many degrees"),
      Field(&O::scale, "scale", 0.0, 10.0, "up to this share larger, or as much smaller"),
      Field(&O::flip, "flip", 0.0, 1.0, "probability of being mirrored, left and right"),
      Field(&O::crop, "crop", 0.0, 0.99, "up to this share of the area is cut off, at any sides"),
      Field(&O::colour, "colour", 0.0, 1.0, "brightness and contrast change by up to this share"),
      Field(&O::erase, "erase", 0.0, 1.0, "probability that a rectangle is grey")};
  return all;
}

int64_t AugmentOptions::side_for(int64_t side) const {
  return crop > 0 ? static_cast<int64_t>(std::ceil(static_cast<double>(side) / std::sqrt(1 - crop))) : side;
}

void augment(std::span<const uint8_t> picture, int64_t channels, int64_t whole, int64_t side,
             const AugmentOptions& options, Draws& draws, std::span<float> to) {
  check_sizes(picture, channels, whole, side, to);
  sample(picture, channels, whole, side, drawn(options, whole, side, draws), to);
  if (options.colour > 0) change_colour(options.colour, draws, to);
  if (options.erase > 0 && draws.chance(options.erase)) erase(channels, side, draws, to);
}

void plain_view(std::span<const uint8_t> picture, int64_t channels, int64_t whole, int64_t side,
                std::span<float> to) {
  check_sizes(picture, channels, whole, side, to);
  sample(picture, channels, whole, side, whole_of(whole, side), to);
}

void augment_mask(std::span<const uint8_t> mask, int64_t whole, int64_t side, const AugmentOptions& options,
                  Draws& draws, std::span<uint8_t> to) {
  sample_mask(mask, whole, side, drawn(options, whole, side, draws), to);
}

void plain_mask(std::span<const uint8_t> mask, int64_t whole, int64_t side, std::span<uint8_t> to) {
  sample_mask(mask, whole, side, whole_of(whole, side), to);
}

}  // namespace weft
