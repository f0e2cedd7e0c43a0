#include <weft/lib/base/error.h>
#include <weft/lib/kernels/fused/rotary.h>
#include <weft/lib/kernels/movement.h>

#include <cmath>

#include "lib/naive.h"

namespace {

using namespace weft;

}  // namespace

TEST_CASE("rotary: the table holds cosines, then sines, of place times frequency") {
  for (const DType dtype : {float32, float64}) {
    const Array table = kernels::rotary_table(6, 10, 1000.0, 4, dtype);
    CHECK(table.shape() == Shape{6, 10});
    for (int64_t t = 0; t < 6; ++t)
      for (int64_t i = 0; i < 5; ++i) {
        const double angle = static_cast<double>(4 + t) * std::pow(1000.0, -static_cast<double>(i) / 5);
        const double tolerance = dtype == float32 ? 6e-8 : 1e-14;
        CHECK(std::abs(table.at({t, i}) - std::cos(angle)) <= tolerance);
        CHECK(std::abs(table.at({t, 5 + i}) - std::sin(angle)) <= tolerance);
      }
  }
  CHECK(kernels::rotary_table(0, 4, 1000.0, 0, float32).shape() == Shape{0, 4});
  CHECK(kernels::rotary_table(3, 0, 1000.0, 0, float32).shape() == Shape{3, 0});
}

TEST_CASE("rotary: turns the two halves of each head, and back") {
  const int64_t tokens = 5;
  for (const int64_t D : {2, 6, 34}) {
    const Array x = naive::random({3, tokens, 2 * D}, float64);
    const Array table = kernels::rotary_table(tokens, D, 10000.0, 2, float64);
    const Array y = kernels::rotary(x, table, false), back = kernels::rotary(y, table, true);
    naive::for_each(x.shape(), [&](const naive::Index& at, int64_t) {
      const int64_t b = at[0], t = at[1], column = at[2] % D, i = column % (D / 2),
                    first = at[2] - column + i;
      const double cosine = table.at({t, i}), sine = table.at({t, D / 2 + i});
      const double one = x.at({b, t, first}), two = x.at({b, t, first + D / 2});
      const double expected = column < D / 2 ? one * cosine - two * sine : two * cosine + one * sine;
      CHECK(y.at({b, t, at[2]}) == doctest::Approx(expected).epsilon(1e-14));
      CHECK(std::abs(back.at({b, t, at[2]}) - x.at({b, t, at[2]})) <= 1e-14);
    });
  }
}

TEST_CASE("rotary: threads do not show, samples are independent") {
  const Array x = naive::random({70, 33, 36});
  const auto turned = [](const Array& of) {
    return kernels::rotary(of, kernels::rotary_table(33, 12, 10000.0, 0, float32), false);
  };
  naive::same_for_threads([&] { return turned(x); });
  CHECK(turned(kernels::slice(x, 0, 41, 42)).identical(kernels::slice(turned(x), 0, 41, 42)));
}

TEST_CASE("rotary: sizes 0, NaN, bad input") {
  const Array table = kernels::rotary_table(3, 4, 10000.0, 0, float32);
  CHECK(kernels::rotary(Array::zeros({0, 3, 8}, float32), table, false).shape() == Shape{0, 3, 8});
  CHECK(kernels::rotary(Array::zeros({2, 3, 0}, float32), table, false).shape() == Shape{2, 3, 0});
  CHECK(std::isnan(kernels::rotary(Array::full({1, 3, 4}, NAN, float32), table, false).at({0, 2, 3})));
  CHECK_THROWS_AS(kernels::rotary(Array::zeros({1, 3, 6}, float32), table, false), ShapeError);
  CHECK_THROWS_AS(kernels::rotary(Array::zeros({1, 2, 8}, float32), table, false), ShapeError);
  CHECK_THROWS_AS(kernels::rotary(Array::zeros({3, 8}, float32), table, false), ShapeError);
  CHECK_THROWS_AS(kernels::rotary(Array::zeros({1, 3, 8}, float64), table, false), TypeError);
  CHECK_THROWS_WITH_AS(kernels::rotary_table(3, 5, 10000.0, 0, float32),
                       "rotary: the head width 5 is not even", ValueError);
  CHECK_THROWS_AS(kernels::rotary_table(3, 4, -1.0, 0, float32), ValueError);
  CHECK_THROWS_AS(kernels::rotary_table(3, 4, 10000.0, -1, float32), ValueError);
  CHECK_THROWS_AS(kernels::rotary_table(3, 4, 10000.0, 0, int64), TypeError);
}

TEST_CASE("rotary: scaled frequencies, plane by plane, and what they refuse") {
  using Scaling = kernels::RotaryFrequencies::Scaling;
  kernels::RotaryFrequencies f(100.0);
  const std::vector<double> plain = f.of(6);
  f.scaling = Scaling::linear, f.factor = 4;
  for (size_t i = 0; i < 3; ++i) CHECK(f.of(6)[i] == plain[i] / 4);
  f.scaling = Scaling::llama3, f.original_context = 64;
  const std::vector<double> scaled = f.of(6);
  // 10.2, 2.2 and 0.47 turns in the original context: left alone, between, slowed down.
  CHECK(scaled[0] == plain[0]);
  const double turns = 64 * plain[1] / (2 * 3.14159265358979323846), share = (turns - 1) / 3;
  CHECK(std::abs(scaled[1] - ((1 - share) * plain[1] / 4 + share * plain[1])) < 1e-15);
  CHECK(scaled[2] == plain[2] / 4);
  const auto refused = [&](auto change, const char* text) {
    kernels::RotaryFrequencies wrong = f;
    change(wrong);
    CHECK_THROWS_WITH_AS(wrong.of(6), text, ValueError);
  };
  refused([](auto& w) { w.factor = 0; }, "rotary: the factor 0 is not positive and finite");
  refused([](auto& w) { w.original_context = -1; },
          "rotary: the original_context -1 is not positive and finite");
  refused([](auto& w) { w.low_freq_factor = 4; },
          "rotary: the low_freq_factor 4 is not below the high_freq_factor 4");
}

TEST_CASE("rotary: places name rows of the table") {
  const Array x = naive::random({2, 3, 8}, float32), table = kernels::rotary_table(5, 4, 100.0, 0, float32);
  const Array places = Array::from<int64_t>({4, 0, 1, 2, 2, 0}, {2, 3});
  const Array y = kernels::rotary(x, table, false, places);
  for (int64_t i = 0; i < 6; ++i) {
    const int64_t place = places.data<int64_t>()[i];
    const Array token = kernels::slice(x.reshape({1, 6, 8}), 1, i, i + 1);
    const Array alone = kernels::rotary(token, kernels::slice(table, 0, place, place + 1), false);
    CHECK(kernels::slice(y.reshape({1, 6, 8}), 1, i, i + 1).identical(alone));
  }
  CHECK_THROWS_AS(kernels::rotary(x, table, false, Array::zeros({3, 2}, int64)), ShapeError);
  CHECK_THROWS_AS(kernels::rotary(x, table, false, Array::full({2, 3}, 5, int64)), ValueError);
}
