#include <weft/lib/base/error.h>
#include <weft/lib/kernels/updates/updates.h>

#include <cmath>
#include <functional>

#include "lib/naive.h"

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

TEST_CASE("updates: factored moments, and the step by them, against the formula") {
  for (const DType dtype : {float32, float64}) {
    for (const Shape& shape : {Shape{1, 1}, Shape{3, 37}, Shape{700, 20}, Shape{2, 3, 5, 4}}) {
      CAPTURE(shape[0]);
      const Array g = naive::random(shape, dtype);
      const kernels::FactoredMoments moments = kernels::mean_squares(g, 0.5);
      const int64_t C = shape[shape.rank() - 1], R = shape[shape.rank() - 2];
      const auto of = [](const Array& x, int64_t i) { return x.reshape({-1}).at({i}); };
      std::vector<double> rows(static_cast<size_t>(moments.rows.size())),
          columns(static_cast<size_t>(moments.columns.size()));
      const auto column_of = [&](int64_t i) { return static_cast<size_t>(i / (R * C) * C + i % C); };
      for (int64_t i = 0; i < g.size(); ++i) {
        const double square = 0.25 * of(g, i) * of(g, i);
        rows[static_cast<size_t>(i / C)] += square / static_cast<double>(C);
        columns[column_of(i)] += square / static_cast<double>(R);
      }
      for (size_t i = 0; i < rows.size(); ++i)
        CHECK(std::fabs(of(moments.rows, static_cast<int64_t>(i)) - rows[i]) <= 1e-6);
      for (size_t i = 0; i < columns.size(); ++i)
        CHECK(std::fabs(of(moments.columns, static_cast<int64_t>(i)) - columns[i]) <= 1e-6);

      const double floor = 1e-3, keep = 0.9, rate = 0.1;
      Array p = naive::random(shape, dtype, 2);
      const Array before = p.copy();
      kernels::adafactor_update(p, g, moments,
                                {.keep = keep, .rate = rate, .grad_scale = 0.5, .floor = floor});
      double norm = 0, worst = 0;
      for (int64_t i = 0; i < g.size(); ++i) {
        const double moment = rows[static_cast<size_t>(i / C)] * columns[column_of(i)];
        const double u = 0.5 * of(g, i) / std::sqrt(std::max(moment, floor));
        norm += u * u;
        worst = std::max(worst, std::fabs(of(p, i) - (keep * of(before, i) - rate * u)));
      }
      CHECK(worst <= 2e-6);
      CHECK(kernels::factored_squared_norm(g, moments, 0.5, floor) == doctest::Approx(norm).epsilon(1e-5));
    }
  }
}

TEST_CASE("updates: factored moments, threads and bad input") {
  const Array start = naive::random({1000, 33}), grad = naive::random({1000, 33}, float32, 2);
  naive::same_for_threads([&] {
    Array p = start.copy();
    const kernels::FactoredMoments moments = kernels::mean_squares(grad, 1);
    const double norm = kernels::factored_squared_norm(grad, moments, 1, 0.1);
    kernels::adafactor_update(p, grad, moments, {.keep = 1, .rate = 1 / norm, .grad_scale = 1, .floor = 0.1});
    return p;
  });
  Array p = start.copy();
  const kernels::FactoredMoments moments = kernels::mean_squares(grad, 1),
                                 other{moments.columns, moments.rows};
  CHECK_THROWS_WITH_AS(kernels::mean_squares(Array::zeros({3}), 1),
                       "mean_squares: needs at least two axes: grad is (3,)", ShapeError);
  CHECK_THROWS_AS(kernels::factored_squared_norm(grad, other, 1, 0), ShapeError);
  CHECK_THROWS_AS(kernels::adafactor_update(p, grad, other, {1, 1, 1, 0}), ShapeError);
  CHECK_THROWS_AS(kernels::adafactor_update(p, grad.to(float64), moments, {1, 1, 1, 0}), TypeError);
  CHECK_THROWS_AS(kernels::mean_squares(Array::zeros({3, 2}, int64), 1), TypeError);
  CHECK(p.identical(start));
  CHECK(kernels::mean_squares(Array::zeros({0, 3}), 1).columns.shape() == Shape{1, 3});
}

TEST_CASE("updates: without momentum nothing is kept of it") {
  Array p = naive::random({37}), same = p.copy(), none, zeros = Array::zeros({37}, float32);
  const Array g = naive::random({37}, float32, 2);
  const kernels::SGDStep step{.lr = 0.1, .momentum = 0, .l2 = 0.02, .grad_scale = 0.5, .nesterov = false};
  kernels::sgd_update(p, g, none, step);
  kernels::sgd_update(same, g, zeros, step);
  CHECK(p.identical(same));
  CHECK_THROWS_AS(kernels::sgd_update(p, g, none, plain), Error);
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
