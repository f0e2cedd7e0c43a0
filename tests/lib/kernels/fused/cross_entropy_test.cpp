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

constexpr int64_t ignored = -100;

Array logits(const Shape& shape) { return kernels::binary(kernels::Binary::mul, naive::random(shape), 6); }

Array targets(int64_t rows, int64_t V) {
  Array ids = naive::random_ids({rows}, V);
  if (rows > 2) ids.mutable_data<int64_t>()[2] = ignored;
  return ids;
}

}  // namespace

TEST_CASE("cross_entropy: losses and gradients against double") {
  for (const int64_t V : {1, 2, 15, 16, 17, 65, 1000})
    for (const double s : {0.0, 0.1, 1.0}) {
      constexpr int64_t N = 5;
      const Array x = logits({N, V}), ids = targets(N, V);
      const auto result = kernels::cross_entropy(x, ids, ignored, s);
      const Array grad = kernels::cross_entropy_grad(x, ids, result.lse, ignored, s, 0.5);
      double sum = 0;
      for (int64_t n = 0; n < N; ++n) {
        double total = 0, mean = 0;
        for (int64_t v = 0; v < V; ++v) {
          total += std::exp(x.at({n, v}));
          mean += x.at({n, v}) / static_cast<double>(V);
        }
        const double lse = std::log(total);
        const auto target = static_cast<int64_t>(ids.at({n}));
        CHECK(result.lse.at({n}) == doctest::Approx(lse).epsilon(1e-6).scale(1));
        const double loss = target == ignored ? 0 : (1 - s) * (lse - x.at({n, target})) + s * (lse - mean);
        CHECK(result.losses.at({n}) == doctest::Approx(loss).epsilon(1e-6).scale(1));
        sum += result.losses.at({n});
        for (int64_t v = 0; v < V; ++v) {
          const double exact =
              std::exp(x.at({n, v}) - lse) - (v == target ? 1 - s : 0) - s / static_cast<double>(V);
          CHECK(std::fabs(grad.at({n, v}) - (target == ignored ? 0 : 0.5 * exact)) <= 5e-7);
        }
      }
      CHECK(result.sum == sum);
      CHECK(result.count == N - 1);
    }
}

TEST_CASE("cross_entropy: small losses keep their digits") {
  const Array x = Array::from({1000.0f, 990.0f}, {1, 2});
  const double loss =
      kernels::cross_entropy(x, Array::from(std::vector<int64_t>{0}, {1}), ignored, 0).losses.item();
  CHECK(std::fabs(loss / std::log1p(std::exp(-10.0)) - 1) < 2e-3);
}

TEST_CASE("cross_entropy: rows are independent, threads do not show") {
  const Array x = logits({200, 301}), ids = targets(200, 301);
  const auto whole = kernels::cross_entropy(x, ids, ignored, 0.1);
  const Array grad = kernels::cross_entropy_grad(x, ids, whole.lse, ignored, 0.1, 1);
  const auto row = [](const Array& a) { return kernels::slice(a, 0, 33, 34); };
  CHECK(kernels::cross_entropy(row(x), row(ids), ignored, 0.1).losses.identical(row(whole.losses)));
  CHECK(kernels::cross_entropy_grad(row(x), row(ids), row(whole.lse), ignored, 0.1, 1).identical(row(grad)));
  naive::same_for_threads([&] { return kernels::cross_entropy(x, ids, ignored, 0.1).losses; });
  naive::same_for_threads([&] { return kernels::cross_entropy_grad(x, ids, whole.lse, ignored, 0.1, 1); });
}

TEST_CASE("cross_entropy: empty batches and bad input") {
  const auto none =
      kernels::cross_entropy(Array::zeros({0, 5}, float32), Array::zeros({0}, int64), ignored, 0);
  CHECK(none.sum == 0);
  CHECK(none.count == 0);
  const Array x = logits({3, 5}), ids = Array::from(std::vector<int64_t>{0, 5, 9}, {3});
  CHECK_THROWS_WITH_AS(kernels::cross_entropy(x, ids, ignored, 0),
                       "cross_entropy: target 5 at row 1 is not in [0, 5) nor ignore_index -100", ValueError);
  CHECK_THROWS_AS(kernels::cross_entropy(x, Array::full({3}, -1, int64), ignored, 0), ValueError);
  CHECK(kernels::cross_entropy(x, Array::full({3}, -1, int64), -1, 0).count == 0);
  const Array good = Array::zeros({3}, int64);
  CHECK_THROWS_WITH_AS(
      kernels::cross_entropy(x, Array::zeros({4}, int64), ignored, 0),
      "cross_entropy: needs logits (N, V) and targets (N): logits is (3, 5), targets is (4,)", ShapeError);
  CHECK_THROWS_AS(kernels::cross_entropy(x.reshape({3, 5, 1}), good, ignored, 0), ShapeError);
  CHECK_THROWS_AS(kernels::cross_entropy(x, good.to(float32), ignored, 0), TypeError);
  CHECK_THROWS_AS(kernels::cross_entropy(x.to(float64), good, ignored, 0), TypeError);
  CHECK_THROWS_AS(kernels::cross_entropy(x, good, ignored, 1.5), ValueError);
  CHECK_THROWS_AS(kernels::cross_entropy_grad(x, good, Array::zeros({2}, float32), ignored, 0, 1),
                  ShapeError);
}
