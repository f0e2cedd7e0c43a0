#include <weft/lib/error.h>
#include <weft/lib/kernels/updates.h>

#include <cmath>
#include <functional>

#include "naive.h"

using namespace weft;

namespace {

using Kernel = std::function<void(Array& p, const Array& g, Array& m)>;

struct Named {
  const char* name;
  Kernel run;
};

const kernels::SGDStep plain{.lr = 0.1, .momentum = 0.9, .l2 = 0.02, .grad_scale = 0.5, .nesterov = false},
    nesterov{.lr = 0.1, .momentum = 0.9, .l2 = 0.02, .grad_scale = 0.5, .nesterov = true};
const kernels::LionStep lion{.lr = 0.01, .beta1 = 0.9, .beta2 = 0.99, .decay = 0.1, .grad_scale = 0.5};

const Named all[] = {
    {"sgd_update", [](Array& p, const Array& g, Array& m) { kernels::sgd_update(p, g, m, plain); }},
    {"sgd_update", [](Array& p, const Array& g, Array& m) { kernels::sgd_update(p, g, m, nesterov); }},
    {"lion_update", [](Array& p, const Array& g, Array& m) { kernels::lion_update(p, g, m, lion); }},
    {"lerp_into", [](Array& p, const Array& g, Array&) { kernels::lerp_into(p, g, 0.3); }},
};

}  // namespace

TEST_CASE("updates: five steps in float against those in double, of every length of a row of lanes") {
  for (const Named& kernel : all) {
    CAPTURE(kernel.name);
    for (const int64_t n : {0, 1, 16, 37}) {
      Array p = naive::random({n}), m = Array::zeros({n}, float32), wide_p = p.to(float64),
            wide_m = m.to(float64);
      for (unsigned t = 1; t <= 5; ++t) {
        const Array g = naive::random({n}, float32, t);
        kernel.run(p, g, m);
        kernel.run(wide_p, g.to(float64), wide_m);
      }
      for (int64_t i = 0; i < n; ++i) {
        CHECK(std::fabs(p.at({i}) - wide_p.at({i})) <= 1e-6);
        CHECK(std::fabs(m.at({i}) - wide_m.at({i})) <= 1e-6);
      }
    }
  }
}

TEST_CASE("updates: by hand") {
  const auto one = [](double x) { return Array::from<double>({x}, {1}); };
  Array p = one(2), b = one(1);
  kernels::sgd_update(p, one(4), b,
                      {.lr = 0.5, .momentum = 0.5, .l2 = 0.25, .grad_scale = 0.5, .nesterov = true});
  CHECK(b.item() == 3.0);  // 0.5 1 + (0.5 4 + 0.25 2)
  CHECK(p.item() == 2 - 0.5 * (2.5 + 0.5 * 3));
  Array q = one(2), m = one(-1);
  kernels::lion_update(q, one(4), m,
                       {.lr = 0.5, .beta1 = 0.75, .beta2 = 0.5, .decay = 0.5, .grad_scale = 0.5});
  CHECK(q.item() == 0.75 * 2 + 0.5);  // sign(-0.75 + 0.25 2) is -1
  CHECK(m.item() == 0.5);
  Array y = one(2);
  kernels::lerp_into(y, one(6), 0.25);
  CHECK(y.item() == 3.0);
}

TEST_CASE("updates: threads and bad input") {
  for (const Named& kernel : all) {
    CAPTURE(kernel.name);
    const Array start = naive::random({100003}), grad = naive::random({100003}, float32, 2);
    naive::same_for_threads([&] {
      Array p = start.copy(), m = Array::zeros(start.shape(), float32);
      kernel.run(p, grad, m);
      return p;
    });
    Array p = Array::ones({3}, float32), m = Array::zeros({3}, float32), ids = Array::zeros({3}, int64);
    CHECK_THROWS_AS(kernel.run(p, Array::zeros({2}, float32), m), ShapeError);
    CHECK_THROWS_AS(kernel.run(p, Array::zeros({3}, float64), m), TypeError);
    CHECK_THROWS_AS(kernel.run(ids, ids, ids), TypeError);
    CHECK(p.identical(Array::ones({3}, float32)));
  }
}
