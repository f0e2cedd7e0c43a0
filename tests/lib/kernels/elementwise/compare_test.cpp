#include <weft/lib/base/error.h>
#include <weft/lib/kernels/elementwise/elementwise.h>

#include <cmath>
#include <vector>

#include "lib/naive.h"

namespace {

using namespace weft;
using kernels::Compare;

constexpr Compare all_comparisons[] = {Compare::eq, Compare::ne, Compare::lt,
                                       Compare::le, Compare::gt, Compare::ge};

bool exact(Compare op, double a, double b) {
  switch (op) {
    case Compare::eq:
      return a == b;
    case Compare::ne:
      return a != b;
    case Compare::lt:
      return a < b;
    case Compare::le:
      return a <= b;
    case Compare::gt:
      return a > b;
    default:
      return a >= b;
  }
}

Array bools(const Shape& shape, unsigned seed) {
  return kernels::compare(Compare::gt, naive::random(shape, float32, seed), 0);
}

}  // namespace

TEST_CASE("compare: all types, with broadcasting, arrays and numbers") {
  const Array base = Array::from({-1.0, 0.0, 1.0, 2.0, 1.0, 0.0}, {2, 3}),
              other = Array::from({0.0, 1.0, 1.0}, {3});
  for (const DType dtype : {float32, float64, int32, int64, boolean}) {
    const Array a = base.to(dtype), b = other.to(dtype);
    for (const Compare op : all_comparisons) {
      const Array y = kernels::compare(op, a, b), swapped = kernels::compare(op, b, a),
                  number = kernels::compare(op, a, 1);
      CHECK(y.dtype() == boolean);
      for (int64_t i = 0; i < 2; ++i)
        for (int64_t j = 0; j < 3; ++j) {
          CHECK(y.at({i, j}) == exact(op, a.at({i, j}), b.at({j})));
          CHECK(swapped.at({i, j}) == exact(op, b.at({j}), a.at({i, j})));
          CHECK(number.at({i, j}) == exact(op, a.at({i, j}), 1));
        }
    }
  }
}

TEST_CASE("compare: NaN, numbers that a type does not hold") {
  const Array nan = Array::from({NAN}, {1});
  for (const Compare op : all_comparisons)
    CHECK(kernels::compare(op, nan, nan).at({0}) == (op == Compare::ne));
  CHECK(kernels::compare(Compare::eq, Array::from({0.1f}, {1}), 0.1).at({0}) == 1);
  const Array large = Array::from(std::vector<int64_t>{(int64_t{1} << 53) + 1}, {1});
  CHECK(kernels::compare(Compare::gt, large, 0x1p53).at({0}) == 1);
  CHECK(kernels::compare(Compare::lt, large, 1e300).at({0}) == 1);
  CHECK(kernels::compare(Compare::gt, Array::from(std::vector<int32_t>{1}, {1}), 0.5).at({0}) == 1);
  CHECK_THROWS_WITH_AS(kernels::compare(Compare::lt, nan, large),
                       "lt: element types differ: a is float32, b is int64", TypeError);
  CHECK_THROWS_AS(kernels::compare(Compare::lt, Array::zeros({2}), Array::zeros({3})), ShapeError);
}

TEST_CASE("logical operations") {
  const Array a = Array::from({true, true, false, false}, {4}),
              b = Array::from({true, false, true, false}, {4});
  CHECK(kernels::logical_and(a, b).identical(Array::from({true, false, false, false}, {4})));
  CHECK(kernels::logical_or(a, b).identical(Array::from({true, true, true, false}, {4})));
  CHECK(kernels::logical_not(a).identical(Array::from({false, false, true, true}, {4})));
  CHECK(kernels::logical_and(a, Array::from({true}, {1})).identical(a));
  CHECK(kernels::logical_and(a.reshape({4, 1}), b).shape() == Shape{4, 4});
  CHECK_THROWS_WITH_AS(kernels::logical_not(Array::zeros({2}, int64)), "logical_not: needs bool, not int64",
                       TypeError);
  CHECK_THROWS_AS(kernels::logical_or(a, Array::zeros({4}, float32)), TypeError);
}

TEST_CASE("where: all types and kinds of broadcasting") {
  struct Case {
    Shape condition, a, b;
  };
  const Case cases[] = {
      {{5, 40}, {5, 40}, {5, 40}},   {{5, 1}, {40}, {}},  {{40}, {5, 1}, {5, 40}}, {{5, 40}, {}, {5, 40}},
      {{5, 40}, {5, 40}, {1}},       {{}, {5, 40}, {40}}, {{0, 3}, {3}, {}},       {{}, {}, {}},
      {{2, 1, 3}, {4, 1}, {2, 4, 1}}};
  for (const DType dtype : {float32, float64, int32, int64, boolean})
    for (const Case& x : cases) {
      const Array c = bools(x.condition, 1), a = naive::numbered(x.a, dtype), b = Array::zeros(x.b, dtype);
      const Array y = kernels::where(c, a, b);
      naive::for_each(y.shape(), [&](const naive::Index& index, int64_t i) {
        const bool choice = c.data<bool>()[naive::broadcast_flat(x.condition, index)];
        const double expected = choice ? a.reshape({-1}).at({naive::broadcast_flat(x.a, index)}) : 0;
        CHECK(y.reshape({-1}).at({i}) == expected);
      });
    }
  const Array x = naive::random({3});
  CHECK_THROWS_AS(kernels::where(x, x, x), TypeError);
  CHECK_THROWS_AS(kernels::where(bools({3}, 1), x, x.to(float64)), TypeError);
  CHECK_THROWS_AS(kernels::where(bools({2}, 1), x, x), ShapeError);
  const Array c = bools({200, 300}, 1), u = naive::random({200, 300}), v = naive::random({300});
  naive::same_for_threads([&] { return kernels::where(c, u, v); });
}
