#include <weft/lib/base/error.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/fused/fused.h>
#include <weft/lib/kernels/movement.h>

#include <cmath>
#include <vector>

#include "lib/naive.h"

namespace {

using namespace weft;
using kernels::Binary;

constexpr double eps = 1e-5;

struct Inputs {
  explicit Inputs(const Shape& shape)
      : x(kernels::binary(Binary::add, naive::random(shape), 0.3)),
        dy(naive::random(shape, float32, 2)),
        weight(naive::random({shape[shape.rank() - 1]}, float32, 3)),
        bias(naive::random({shape[shape.rank() - 1]}, float32, 4)) {}
  Array x, dy, weight, bias;
};

/// One row in double, around 0 unless `centred`: xhat, and the gradient of x from g = dy weight.
struct Exact {
  double mean = 0, rstd = 0;
  std::vector<double> xhat, dx;
};
Exact exact_row(const Inputs& in, bool weight, int64_t row, bool centred = true) {
  const int64_t n = in.x.dim(1);
  Exact out;
  double variance = 0, mean_g = 0, mean_gx = 0;
  for (int64_t i = 0; i < n && centred; ++i) out.mean += in.x.at({row, i}) / static_cast<double>(n);
  for (int64_t i = 0; i < n; ++i)
    variance += std::pow(in.x.at({row, i}) - out.mean, 2) / static_cast<double>(n);
  out.rstd = 1 / std::sqrt(variance + eps);
  for (int64_t i = 0; i < n; ++i) out.xhat.push_back((in.x.at({row, i}) - out.mean) * out.rstd);
  const auto g = [&](int64_t i) { return in.dy.at({row, i}) * (weight ? in.weight.at({i}) : 1); };
  for (int64_t i = 0; i < n; ++i) {
    mean_g += centred ? g(i) / static_cast<double>(n) : 0;
    mean_gx += g(i) * out.xhat[static_cast<size_t>(i)] / static_cast<double>(n);
  }
  for (int64_t i = 0; i < n; ++i)
    out.dx.push_back(out.rstd * (g(i) - mean_g - out.xhat[static_cast<size_t>(i)] * mean_gx));
  return out;
}

}  // namespace

TEST_CASE("layer_norm: values and gradients against double, all row lengths") {
  for (int64_t n = 1; n < 70; n += n < 34 ? 1 : 7) {
    const Inputs in({4, n});
    for (const bool weight : {false, true})
      for (const bool bias : {false, true}) {
        const Array w = weight ? in.weight : Array(), b = bias ? in.bias : Array();
        const auto [y, mean, rstd] = kernels::layer_norm(in.x, w, b, eps);
        const Array dx = kernels::layer_norm_grad_x(in.dy, in.x, w, mean, rstd);
        Array d_weight = Array::zeros({n}, float32), d_bias = Array::ones({n}, float32);
        kernels::layer_norm_accumulate(&d_weight, &d_bias, in.dy, in.x, mean, rstd);
        std::vector<double> exact_weight(static_cast<size_t>(n)), exact_bias(static_cast<size_t>(n), 1.0);
        CHECK(mean.shape() == Shape{4});
        for (int64_t r = 0; r < 4; ++r) {
          const Exact exact = exact_row(in, weight, r);
          CHECK(mean.at({r}) == doctest::Approx(exact.mean).epsilon(1e-5).scale(1));
          CHECK(rstd.at({r}) == doctest::Approx(exact.rstd).epsilon(1e-5));
          // Rows of one or two values may lie close together, where rstd is large and with it all rounding.
          const double tolerance = 3e-6 * std::fmax(1, exact.rstd);
          for (int64_t i = 0; i < n; ++i) {
            const auto at = static_cast<size_t>(i);
            const double value =
                exact.xhat[at] * (weight ? in.weight.at({i}) : 1) + (bias ? in.bias.at({i}) : 0);
            CHECK(std::fabs(y.at({r, i}) - value) <= tolerance);
            CHECK(std::fabs(dx.at({r, i}) - exact.dx[at]) <= tolerance * std::fmax(1, exact.rstd));
            exact_weight[at] += in.dy.at({r, i}) * exact.xhat[at];
            exact_bias[at] += in.dy.at({r, i});
          }
        }
        for (int64_t i = 0; i < n; ++i) {
          CHECK(d_weight.at({i}) ==
                doctest::Approx(exact_weight[static_cast<size_t>(i)]).epsilon(1e-4).scale(1));
          CHECK(d_bias.at({i}) == doctest::Approx(exact_bias[static_cast<size_t>(i)]).epsilon(1e-5).scale(1));
        }
      }
  }
}

TEST_CASE("rms_norm: values and gradients against double, all row lengths") {
  for (int64_t n = 1; n < 70; n += n < 34 ? 1 : 7) {
    const Inputs in({4, n});
    for (const bool weight : {false, true}) {
      const Array w = weight ? in.weight : Array();
      const auto [y, mean, rstd] = kernels::rms_norm(in.x, w, eps);
      CHECK_FALSE(mean.defined());
      const Array dx = kernels::layer_norm_grad_x(in.dy, in.x, w, mean, rstd);
      Array d_weight = Array::ones({n}, float32);
      kernels::layer_norm_accumulate(&d_weight, nullptr, in.dy, in.x, mean, rstd);
      std::vector<double> exact_weight(static_cast<size_t>(n), 1.0);
      for (int64_t r = 0; r < 4; ++r) {
        const Exact exact = exact_row(in, weight, r, false);
        CHECK(rstd.at({r}) == doctest::Approx(exact.rstd).epsilon(1e-5));
        const double tolerance = 3e-6 * std::fmax(1, exact.rstd);
        for (int64_t i = 0; i < n; ++i) {
          const auto at = static_cast<size_t>(i);
          CHECK(std::fabs(y.at({r, i}) - exact.xhat[at] * (weight ? in.weight.at({i}) : 1)) <= tolerance);
          CHECK(std::fabs(dx.at({r, i}) - exact.dx[at]) <= tolerance * std::fmax(1, exact.rstd));
          exact_weight[at] += in.dy.at({r, i}) * exact.xhat[at];
        }
      }
      for (int64_t i = 0; i < n; ++i)
        CHECK(d_weight.at({i}) ==
              doctest::Approx(exact_weight[static_cast<size_t>(i)]).epsilon(1e-4).scale(1));
    }
  }
}

TEST_CASE("rms_norm: sizes 0 and 1, rows of zeros, threads, bad input") {
  const Inputs in({90, 517});
  naive::same_for_threads([&] { return kernels::rms_norm(in.x, in.weight, eps).y; });
  CHECK(kernels::rms_norm(Array::zeros({0, 8}, float32), {}, eps).y.shape() == Shape{0, 8});
  CHECK(kernels::rms_norm(Array::zeros({3, 0}, float32), {}, eps).rstd.shape() == Shape{3});
  CHECK(kernels::rms_norm(Array::zeros({2, 5}, float32), {}, eps).y.identical(Array::zeros({2, 5}, float32)));
  CHECK(std::isnan(kernels::rms_norm(Array::from({1.0f, NAN}, {1, 2}), {}, eps).y.at({0, 0})));
  CHECK_THROWS_WITH_AS(kernels::rms_norm(in.x, Array::ones({7}, float32), eps),
                       "rms_norm: weight must be (517,) for x (90, 517), not (7,)", ShapeError);
  CHECK_THROWS_AS(kernels::rms_norm(in.x.to(float64), {}, eps), TypeError);
  CHECK_THROWS_AS(kernels::layer_norm_grad_x(in.dy, in.x, {}, {}, Array::ones({7}, float32)), ShapeError);
}

TEST_CASE("layer_norm: rows are independent, sums over rows go on across pieces, threads do not show") {
  const Inputs in({90, 517});
  const auto whole = kernels::layer_norm(in.x, in.weight, in.bias, eps);
  const auto rows = [](const Array& a, int64_t begin, int64_t end) {
    return kernels::slice(a, 0, begin, end);
  };
  CHECK(kernels::layer_norm(rows(in.x, 41, 42), in.weight, in.bias, eps).y.identical(rows(whole.y, 41, 42)));
  Array d_weight = Array::zeros({517}, float32), d_bias = d_weight.copy(), weight_pieces = d_weight.copy(),
        bias_pieces = d_weight.copy();
  kernels::layer_norm_accumulate(&d_weight, &d_bias, in.dy, in.x, whole.mean, whole.rstd);
  for (const auto& [begin, end] : {std::pair<int64_t, int64_t>{0, 7}, {7, 64}, {64, 90}}) {
    kernels::layer_norm_accumulate(&weight_pieces, nullptr, rows(in.dy, begin, end), rows(in.x, begin, end),
                                   rows(whole.mean, begin, end), rows(whole.rstd, begin, end));
    kernels::layer_norm_accumulate(nullptr, &bias_pieces, rows(in.dy, begin, end), rows(in.x, begin, end),
                                   rows(whole.mean, begin, end), rows(whole.rstd, begin, end));
  }
  CHECK(weight_pieces.identical(d_weight));
  CHECK(bias_pieces.identical(d_bias));
  naive::same_for_threads([&] { return kernels::layer_norm(in.x, in.weight, in.bias, eps).y; });
  naive::same_for_threads(
      [&] { return kernels::layer_norm_grad_x(in.dy, in.x, in.weight, whole.mean, whole.rstd); });
  naive::same_for_threads([&] {
    Array sum = Array::zeros({517}, float32);
    kernels::layer_norm_accumulate(&sum, nullptr, in.dy, in.x, whole.mean, whole.rstd);
    return sum;
  });
}

TEST_CASE("layer_norm: leading axes, sizes 0 and 1, bad input") {
  const Inputs in({2, 3, 8});
  const auto result = kernels::layer_norm(in.x, in.weight, in.bias, eps);
  CHECK(result.mean.shape() == Shape{2, 3});
  CHECK(result.y.reshape({6, 8}).identical(
      kernels::layer_norm(in.x.reshape({6, 8}), in.weight, in.bias, eps).y));
  CHECK(kernels::layer_norm(in.x.reshape({48}), {}, {}, eps).mean.shape() == Shape{});
  CHECK(kernels::layer_norm(Array::zeros({0, 8}, float32), in.weight, {}, eps).y.shape() == Shape{0, 8});
  CHECK(kernels::layer_norm(Array::zeros({3, 0}, float32), {}, {}, eps)
            .mean.identical(Array::zeros({3}, float32)));
  CHECK(kernels::layer_norm(Array::full({1, 1}, 5, float32), {}, {}, eps).y.item() == 0);
  CHECK(std::isnan(kernels::layer_norm(Array::from({1.0f, NAN}, {1, 2}), {}, {}, eps).y.at({0, 0})));
  CHECK_THROWS_WITH_AS(kernels::layer_norm(in.x, Array::ones({7}, float32), {}, eps),
                       "layer_norm: weight must be (8,) for x (2, 3, 8), not (7,)", ShapeError);
  CHECK_THROWS_AS(kernels::layer_norm(in.x.to(float64), {}, {}, eps), TypeError);
  CHECK_THROWS_AS(kernels::layer_norm(Array::scalar(1, float32), {}, {}, eps), ShapeError);
  CHECK_THROWS_AS(kernels::layer_norm_grad_x(in.dy, in.x, {}, result.mean.reshape({6}), result.rstd),
                  ShapeError);
  Array wrong = Array::zeros({7}, float32);
  CHECK_THROWS_AS(kernels::layer_norm_accumulate(&wrong, nullptr, in.dy, in.x, result.mean, result.rstd),
                  ShapeError);
}
