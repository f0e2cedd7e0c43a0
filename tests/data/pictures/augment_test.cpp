#include <doctest/doctest.h>
#include <weft/data/pictures/augment.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <cmath>

using namespace weft;

namespace {

/// A ramp along both axes, with a bright dot.
std::vector<uint8_t> ramp(int64_t channels, int64_t whole) {
  std::vector<uint8_t> all;
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t y = 0; y < whole; ++y)
      for (int64_t x = 0; x < whole; ++x) all.push_back(static_cast<uint8_t>(10 * c + 3 * y + 2 * x));
  return all;
}

std::vector<float> seen(const AugmentOptions& options, uint64_t sample, int64_t channels = 1,
                        int64_t whole = 12, int64_t side = 12) {
  std::vector<float> to(static_cast<size_t>(channels * side * side));
  Draws draws(random_key(1, 2), sample);
  augment(ramp(channels, whole), channels, whole, side, options, draws, to);
  return to;
}

double pixel(float value) { return (static_cast<double>(value) + 1) * 127.5; }

}  // namespace

TEST_CASE("nothing asked for is the picture itself, and draws nothing") {
  const std::vector<uint8_t> picture = ramp(3, 12);
  std::vector<float> plain(picture.size()), same(picture.size());
  plain_view(picture, 3, 12, 12, plain);
  Draws draws(random_key(1, 2), 0), untouched(random_key(1, 2), 0);
  augment(picture, 3, 12, 12, {}, draws, same);
  CHECK(same == plain);
  CHECK(draws.uniform() == untouched.uniform());
  for (size_t i = 0; i < picture.size(); ++i) CHECK(plain[i] == static_cast<float>(picture[i] / 127.5 - 1));
}

TEST_CASE("a ramp that is shifted, scaled and turned stays the ramp that it must be") {
  const auto inner = [](const std::vector<float>& all, int64_t y, int64_t x) {
    return pixel(all[static_cast<size_t>(y * 12 + x)]);
  };
  for (uint64_t sample = 0; sample < 50; ++sample) {
    // Shifted: the slopes stay, and no pixel moves further than asked for.
    const std::vector<float> shifted = seen({.shift = 0.2}, sample);
    CHECK(inner(shifted, 6, 6) - inner(shifted, 6, 5) == doctest::Approx(2).epsilon(1e-4));
    CHECK(inner(shifted, 6, 6) - inner(shifted, 5, 6) == doctest::Approx(3).epsilon(1e-4));
    CHECK(std::abs(inner(shifted, 6, 6) - 30) <= 0.2 * 12 * 5 + 0.01);
    // Scaled about the middle: between pixels 5 and 6, which is 27.5.
    const std::vector<float> scaled = seen({.scale = 0.5}, sample);
    CHECK((inner(scaled, 5, 5) + inner(scaled, 6, 6)) / 2 == doctest::Approx(27.5).epsilon(1e-4));
    const double slope = inner(scaled, 6, 6) - inner(scaled, 6, 5);
    CHECK(slope >= 2 / 1.5 - 1e-3);
    CHECK(slope <= 2 * 1.5 + 1e-3);
    // Turned: the steepness stays.
    const std::vector<float> turned = seen({.rotate = 180}, sample);
    const double dx = inner(turned, 6, 6) - inner(turned, 6, 5),
                 dy = inner(turned, 6, 6) - inner(turned, 5, 6);
    CHECK(dx * dx + dy * dy == doctest::Approx(13).epsilon(1e-3));
    // Mirrored.
    const std::vector<float> mirrored = seen({.flip = 0.999999}, sample);
    CHECK(mirrored[0] == seen({}, sample)[11]);
    // Cut out: no steeper than all, no flatter than its share.
    const std::vector<float> cropped = seen({.crop = 0.75}, sample);
    const double crop_slope = inner(cropped, 6, 6) - inner(cropped, 6, 5);
    CHECK(crop_slope <= 2 + 1e-3);
    CHECK(crop_slope >= 1 - 1e-3);
  }
}

TEST_CASE("colour and erasing") {
  int64_t erased = 0;
  for (uint64_t sample = 0; sample < 200; ++sample) {
    const std::vector<float> coloured = seen({.colour = 0.3}, sample, 3);
    for (const float value : coloured) CHECK(std::abs(value) <= 1);
    const std::vector<float> holes = seen({.erase = 0.5}, sample, 3);
    const auto grey = std::ranges::count(holes, 0.0F);
    CHECK(grey % 3 == 0);
    CHECK(grey <= 3 * 12 * 12 * 0.25);
    erased += grey > 0;
  }
  CHECK(erased > 70);
  CHECK(erased < 130);
  CHECK(seen({.colour = 0.3}, 1) != seen({.colour = 0.3}, 2));
  CHECK(seen({.colour = 0.3}, 1) == seen({.colour = 0.3}, 1));
}

TEST_CASE("the side that a cut-out needs, and sizes that do not fit") {
  CHECK(AugmentOptions{}.side_for(28) == 28);
  CHECK(AugmentOptions{.crop = 0.75}.side_for(28) == 56);
  std::vector<float> to(9);
  Draws draws(random_key(1, 2), 0);
  CHECK_THROWS_AS(augment(ramp(1, 3), 1, 4, 3, {}, draws, to), ValueError);
  CHECK_THROWS_AS(plain_view(ramp(1, 3), 1, 3, 4, to), ValueError);
}
