#include <weft/lib/base/error.h>
#include <weft/lib/kernels/elementwise/elementwise.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "lib/naive.h"

namespace {

using namespace weft;
using kernels::Binary;

const Binary all[] = {Binary::add, Binary::sub,     Binary::mul,    Binary::div,
                      Binary::pow, Binary::maximum, Binary::minimum};

double exact(Binary op, double a, double b) {
  switch (op) {
    case Binary::add:
      return a + b;
    case Binary::sub:
      return a - b;
    case Binary::mul:
      return a * b;
    case Binary::div:
      return a / b;
    case Binary::pow:
      return std::pow(a, b);
    case Binary::maximum:
      return std::isnan(a) || std::isnan(b) ? NAN : std::fmax(a, b);
    default:
      return std::isnan(a) || std::isnan(b) ? NAN : std::fmin(a, b);
  }
}

/// Positive, so that every power is defined.
Array positive(const Shape& shape, DType dtype, unsigned seed) {
  return kernels::unary(kernels::Unary::exp, naive::random(shape, float64, seed)).to(dtype);
}

const std::pair<Shape, Shape> shapes[] = {{{37}, {37}},
                                          {{4, 5}, {5}},
                                          {{4, 5}, {4, 1}},
                                          {{4, 1}, {1, 5}},
                                          {{}, {3, 4}},
                                          {{3, 4}, {}},
                                          {{1, 1}, {1}},
                                          {{2, 3, 4, 5}, {3, 1, 5}},
                                          {{2, 1, 4, 1}, {3, 1, 5}},
                                          {{0, 3}, {3}},
                                          {{1, 3}, {0, 3}},
                                          {{2, 3, 1}, {2, 1, 700}},
                                          {{6, 1, 1}, {6, 4, 5}},
                                          {{17000}, {2, 17000}},
                                          {{300, 129}, {300, 1}},
                                          {{5, 1, 7}, {5, 9, 7}},
                                          {{1, 2, 1, 2, 1, 2, 1, 2}, {2, 1, 2, 1, 2, 1, 2, 1}}};

}  // namespace

TEST_CASE("binary: every operation over every kind of broadcasting") {
  for (const DType dtype : {float32, float64})
    for (const auto& pair : shapes) {
      const Shape &a_shape = pair.first, &b_shape = pair.second;
      const Array a = positive(a_shape, dtype, 1), b = positive(b_shape, dtype, 2);
      for (const Binary op : all) {
        const Array y = kernels::binary(op, a, b);
        CHECK(y.shape() == broadcast_shapes("test", a_shape, b_shape));
        const double unit = dtype == float32 ? 0x1p-23 : 0x1p-51;
        bool good = true;
        naive::for_each(y.shape(), [&](const naive::Index& index, int64_t i) {
          const double u = a.reshape({-1}).at({naive::broadcast_flat(a_shape, index)});
          const double v = b.reshape({-1}).at({naive::broadcast_flat(b_shape, index)});
          const double expected = exact(op, u, v);
          good = good && std::fabs(y.reshape({-1}).at({i}) - expected) <= unit * std::fabs(expected);
        });
        CHECK_MESSAGE(good, std::string(kernels::name_of(op))
                                << ' ' << to_string(a_shape) << ' ' << to_string(b_shape));
      }
    }
}

TEST_CASE("binary: with a number on either side") {
  for (const DType dtype : {float32, float64}) {
    const Array x = positive({3, 7}, dtype, 1);
    for (const Binary op : all) {
      const Array number = Array::full({}, 1.5, dtype);
      CHECK(kernels::binary(op, x, 1.5).identical(kernels::binary(op, x, number)));
      CHECK(kernels::binary(op, 1.5, x).identical(kernels::binary(op, number, x)));
    }
  }
}

TEST_CASE("binary: powers") {
  const Array x = Array::from({-2.0f, 3.0f, 0.0f, 0.25f}, {4});
  CHECK(kernels::binary(Binary::pow, x, 2).identical(kernels::binary(Binary::mul, x, x)));
  CHECK(kernels::binary(Binary::pow, x, 3).identical(Array::from({-8.0f, 27.0f, 0.0f, 0.015625f}, {4})));
  CHECK(kernels::binary(Binary::pow, x, 0).identical(Array::ones({4}, float32)));
  CHECK(kernels::binary(Binary::pow, x, -1).identical(kernels::binary(Binary::div, 1, x)));
  const Array root = kernels::binary(Binary::pow, x, 0.5);
  CHECK(std::isnan(root.at({0})));
  CHECK(root.at({2}) == 0);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const Array ends = Array::from({-0.0, -infinity, infinity, 4.0, static_cast<double>(NAN)}, {5});
  for (const double y : {0.5, -0.5}) {
    const Array found = kernels::binary(Binary::pow, ends, y);
    for (int64_t i = 0; i < 4; ++i) CHECK(found.at({i}) == std::pow(ends.at({i}), y));
    CHECK(std::isnan(found.at({4})));
  }
}

TEST_CASE("binary: NaN and infinity") {
  const Array a = Array::from({NAN, 1.0f, NAN, -0.0f}, {4}), b = Array::from({1.0f, NAN, NAN, 1.0f}, {4});
  for (const Binary op : {Binary::maximum, Binary::minimum})
    for (const auto& y : {kernels::binary(op, a, b), kernels::binary(op, a, static_cast<double>(NAN))})
      for (int64_t i = 0; i < 3; ++i) CHECK(std::isnan(y.at({i})));
  CHECK(kernels::binary(Binary::div, b, 0.0).at({0}) == std::numeric_limits<double>::infinity());
}

TEST_CASE("binary: integers wrap, and take only what stays whole") {
  const Array x = Array::from(std::vector<int32_t>{std::numeric_limits<int32_t>::max(), -5}, {2});
  CHECK(kernels::binary(Binary::add, x, 1)
            .identical(Array::from(std::vector<int32_t>{std::numeric_limits<int32_t>::min(), -4}, {2})));
  CHECK(kernels::binary(Binary::mul, x, x).identical(Array::from(std::vector<int32_t>{1, 25}, {2})));
  CHECK(
      kernels::binary(Binary::sub, 1, x)
          .identical(Array::from(std::vector<int32_t>{2 - std::numeric_limits<int32_t>::max() - 1, 6}, {2})));
  CHECK(kernels::binary(Binary::maximum, x.to(int64), 0)
            .identical(Array::from(std::vector<int64_t>{std::numeric_limits<int32_t>::max(), 0}, {2})));
  CHECK_THROWS_WITH_AS(kernels::binary(Binary::add, x, 0.5), "add: 0.5 is not a value of int32", ValueError);
  CHECK_THROWS_AS(kernels::binary(Binary::add, x, 1e10), ValueError);
  CHECK_THROWS_AS(kernels::binary(Binary::div, x, x), TypeError);
  CHECK_THROWS_AS(kernels::binary(Binary::pow, x, 2), TypeError);
  CHECK_THROWS_AS(kernels::binary(Binary::add, Array::zeros({2}, boolean), Array::zeros({2}, boolean)),
                  TypeError);
}

TEST_CASE("binary: bad input and threads") {
  const Array a = naive::random({4, 3}), b = naive::random({4});
  CHECK_THROWS_AS(kernels::binary(Binary::add, a, b), ShapeError);
  CHECK_THROWS_WITH_AS(kernels::binary(Binary::add, a, a.to(float64)),
                       "add: element types differ: a is float32, b is float64", TypeError);
  const Array x = naive::random({70, 1030}), row = naive::random({1030}), column = naive::random({70, 1});
  for (const Array& y : {x, row, column})
    naive::same_for_threads([&] { return kernels::binary(Binary::sub, x, y); });
}
