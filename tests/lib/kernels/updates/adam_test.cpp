#include <weft/lib/base/error.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/updates/updates.h>

#include <cmath>

#include "lib/naive.h"

using namespace weft;

TEST_CASE("adam_update: ten steps against the formula in double") {
  for (const double decay : {0.0, 0.1})
    for (const double l2 : {0.0, 0.02}) {
      constexpr int64_t n = 37;
      Array p = naive::random({n}), m = Array::zeros({n}, float32), v = Array::zeros({n}, float32);
      double exact[n], exact_m[n] = {}, exact_v[n] = {};
      for (int64_t i = 0; i < n; ++i) exact[i] = p.at({i});
      for (int t = 1; t <= 10; ++t) {
        const Array grad = naive::random({n}, float32, static_cast<unsigned>(t));
        kernels::AdamStep step{.lr = 1e-2,
                               .beta1 = 0.9,
                               .beta2 = 0.99,
                               .eps = 1e-8,
                               .decay = decay,
                               .l2 = l2,
                               .grad_scale = 0.5,
                               .correction1 = 1 - std::pow(0.9, t),
                               .correction2 = 1 - std::pow(0.99, t)};
        kernels::adam_update(p, grad, m, v, step);
        for (int64_t i = 0; i < n; ++i) {
          const double g = 0.5 * grad.at({i}) + l2 * exact[i];
          exact[i] *= 1 - 1e-2 * decay;
          exact_m[i] = 0.9 * exact_m[i] + 0.1 * g;
          exact_v[i] = 0.99 * exact_v[i] + 0.01 * g * g;
          exact[i] -= 1e-2 / step.correction1 * exact_m[i] /
                      (std::sqrt(exact_v[i]) / std::sqrt(step.correction2) + 1e-8);
        }
      }
      for (int64_t i = 0; i < n; ++i) {
        CHECK(std::fabs(p.at({i}) - exact[i]) <= 1e-6);
        CHECK(std::fabs(m.at({i}) - exact_m[i]) <= 1e-6);
        CHECK(std::fabs(v.at({i}) - exact_v[i]) <= 1e-6);
      }
    }
}

TEST_CASE("adam_update: threads, sizes, bad input") {
  const kernels::AdamStep step{1e-3, 0.9, 0.999, 1e-8, 0.1, 0, 1, 0.1, 0.001};
  const Array start = naive::random({100003}), grad = naive::random({100003}, float32, 2);
  naive::same_for_threads([&] {
    Array p = start.copy(), m = Array::zeros(start.shape(), float32), v = m.copy();
    kernels::adam_update(p, grad, m, v, step);
    return p;
  });
  Array none = Array::zeros({0}, float32);
  Array m = none.copy(), v = none.copy();
  kernels::adam_update(none, none.copy(), m, v, step);
  Array p = Array::ones({3}, float32), other = Array::zeros({2}, float32), wide = Array::zeros({3}, float64);
  Array fits = Array::zeros({3}, float32);
  CHECK_THROWS_WITH_AS(kernels::adam_update(p, fits, fits, other, step),
                       "adam_update: shapes differ: parameter is (3,), v is (2,)", ShapeError);
  CHECK_THROWS_AS(kernels::adam_update(wide, wide, wide, wide, step), TypeError);
  CHECK(p.identical(Array::ones({3}, float32)));
}
