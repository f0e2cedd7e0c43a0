#include <weft/lib/base/error.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/fused/fused.h>
#include <weft/lib/kernels/movement.h>

#include <cmath>
#include <limits>
#include <vector>

#include "lib/naive.h"

namespace {

using namespace weft;

constexpr float infinity = std::numeric_limits<float>::infinity();

Array logits(const Shape& shape, unsigned seed = 1) {
  return kernels::binary(kernels::Binary::mul, naive::random(shape, float32, seed), 8);
}

/// p, log p of one row in double.
std::vector<double> log_probabilities(const Array& x, int64_t row) {
  const int64_t n = x.dim(1);
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += std::exp(x.at({row, i}));
  std::vector<double> y(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) y[static_cast<size_t>(i)] = x.at({row, i}) - std::log(sum);
  return y;
}

}  // namespace

TEST_CASE("softmax, log_softmax: values and gradients against double, all row lengths") {
  for (int64_t n = 1; n < 70; n += n < 34 ? 1 : 7) {
    const Array x = logits({3, n}), dy = naive::random({3, n}, float32, 2);
    const Array p = kernels::softmax(x), y = kernels::log_softmax(x);
    const Array dp = kernels::softmax_grad(p, dy), dlog = kernels::log_softmax_grad(y, dy);
    for (int64_t r = 0; r < 3; ++r) {
      const auto exact = log_probabilities(x, r);
      double dot = 0, sum = 0;
      for (int64_t i = 0; i < n; ++i) {
        dot += dy.at({r, i}) * std::exp(exact[static_cast<size_t>(i)]);
        sum += dy.at({r, i});
      }
      for (int64_t i = 0; i < n; ++i) {
        const double log_p = exact[static_cast<size_t>(i)], exact_p = std::exp(log_p);
        CHECK(std::fabs(p.at({r, i}) - exact_p) <= 1e-6 * exact_p);
        CHECK(std::fabs(y.at({r, i}) - log_p) <= 1e-6 * std::fmax(1, std::fabs(log_p)));
        CHECK(std::fabs(dp.at({r, i}) - exact_p * (dy.at({r, i}) - dot)) <= 1e-6);
        CHECK(std::fabs(dlog.at({r, i}) - (dy.at({r, i}) - exact_p * sum)) <= 4e-6);
      }
    }
  }
}

TEST_CASE("softmax: masked, single, large, NaN and empty rows") {
  const Array x = Array::from({-infinity, -infinity, -infinity, -infinity, 2.0f, -infinity, 3e38f, 3e38f,
                               -3e38f, 1.0f, NAN, -infinity},
                              {4, 3});
  const Array p = kernels::softmax(x), y = kernels::log_softmax(x);
  for (int64_t i = 0; i < 3; ++i) {
    CHECK(p.at({0, i}) == 0);
    CHECK(y.at({0, i}) == -std::numeric_limits<double>::infinity());
    CHECK(std::isnan(p.at({3, i})));
  }
  CHECK(p.at({1, 0}) == 0);
  CHECK(p.at({1, 1}) == 1);
  CHECK(y.at({1, 1}) == 0);
  CHECK(p.at({2, 0}) == 0.5);
  CHECK(p.at({2, 2}) == 0);
  // The maximum may miss a NaN among -inf; the sum does not.
  for (const int64_t at : {0, 1, 16, 20}) {
    Array row = Array::full({1, 21}, -infinity, float32);
    row.mutable_data<float>()[at] = NAN;
    const Array shares = kernels::softmax(row);
    for (const float value : shares.values<float>()) CHECK(std::isnan(value));
  }
  CHECK(kernels::softmax(Array::zeros({2, 0}, float32)).shape() == Shape{2, 0});
  CHECK(kernels::log_softmax(Array::zeros({0, 2}, float32)).shape() == Shape{0, 2});
  CHECK(kernels::softmax_grad(Array::zeros({0, 2}, float32), Array::zeros({0, 2}, float32)).size() == 0);
}

TEST_CASE("softmax: a row depends on itself alone, at any number of threads") {
  const Array x = logits({300, 257}), dy = naive::random({300, 257}, float32, 2);
  const Array p = kernels::softmax(x), y = kernels::log_softmax(x);
  for (const int64_t r : {0, 17, 299}) {
    const auto row = [r](const Array& a) { return kernels::slice(a, 0, r, r + 1); };
    CHECK(kernels::softmax(row(x)).identical(row(p)));
    CHECK(kernels::log_softmax(row(x)).identical(row(y)));
    CHECK(kernels::softmax_grad(row(p), row(dy)).identical(row(kernels::softmax_grad(p, dy))));
  }
  naive::same_for_threads([&] { return kernels::softmax(x); });
  naive::same_for_threads([&] { return kernels::log_softmax(x); });
  naive::same_for_threads([&] { return kernels::softmax_grad(p, dy); });
  naive::same_for_threads([&] { return kernels::log_softmax_grad(y, dy); });
}

TEST_CASE("softmax: bad input") {
  CHECK_THROWS_WITH_AS(kernels::softmax(Array::scalar(1, float32)),
                       "softmax: needs at least one axis: x is ()", ShapeError);
  CHECK_THROWS_WITH_AS(kernels::log_softmax(Array::zeros({2}, float64)),
                       "log_softmax: x must be float32, not float64", TypeError);
  CHECK_THROWS_AS(kernels::softmax_grad(Array::zeros({2}, float32), Array::zeros({3}, float32)), ShapeError);
}
