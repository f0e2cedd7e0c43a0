#include <doctest/doctest.h>
#include <weft/lib/array/random.h>
#include <weft/lib/base/error.h>
#include <weft/optim/noise_scale.h>

#include <cmath>

namespace weft {
namespace {

constexpr int64_t width = 20, few = 2, many = 16;

struct Norms {
  double few, many;
};

/// Of the means of `few` and of `many` gradients (1, 0, 0, ...) with noise of this deviation in each place, the few among
/// the many.
Norms norms(double deviation, uint64_t pair) {
  const Array noise = random_normal({many, width}, 0, deviation, random_key(7, 1, pair));
  Norms found{0, 0};
  for (int64_t i = 0; i < width; ++i) {
    double sum = 0;
    for (int64_t sample = 0; sample < many; ++sample) {
      sum += (i == 0 ? 1.0 : 0.0) + static_cast<double>(noise.data<float>()[sample * width + i]);
      if (sample + 1 == few) found.few += sum * sum / (few * few);
    }
    found.many += sum * sum / (many * many);
  }
  return {std::sqrt(found.few), std::sqrt(found.many)};
}

}  // namespace

TEST_CASE("GradientNoiseScale: of gradients whose noise is known") {
  for (const double deviation : {0.5, 1.0, 2.0}) {
    GradientNoiseScale scale(0.9999);
    for (uint64_t pair = 0; pair < 20000; ++pair) {
      const Norms n = norms(deviation, pair);
      scale.add(few, n.few, many, n.many);
    }
    // tr S / |G|^2.
    CHECK(scale.value() == doctest::Approx(width * deviation * deviation).epsilon(0.08));
  }
}

TEST_CASE("GradientNoiseScale: without noise, and of what is no pair") {
  GradientNoiseScale scale;
  CHECK(scale.value() == 0);
  scale.add(1, 2.0, 8, 2.0);
  CHECK(scale.value() == 0);
  CHECK_THROWS_AS(scale.add(8, 1.0, 8, 1.0), ValueError);
  CHECK_THROWS_AS(scale.add(0, 1.0, 8, 1.0), ValueError);
  CHECK_THROWS_AS(GradientNoiseScale(1.0), ValueError);
}

}  // namespace weft
