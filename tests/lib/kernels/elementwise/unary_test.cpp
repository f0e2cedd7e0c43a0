#include <weft/lib/base/error.h>
#include <weft/lib/kernels/elementwise/elementwise.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "lib/naive.h"

namespace {

using namespace weft;
using kernels::Unary;

constexpr double infinity = std::numeric_limits<double>::infinity();

const Unary all_unary[] = {Unary::neg,  Unary::abs,        Unary::sign,    Unary::exp,  Unary::log,
                           Unary::sqrt, Unary::reciprocal, Unary::square,  Unary::sin,  Unary::cos,
                           Unary::tanh, Unary::erf,        Unary::sigmoid, Unary::relu, Unary::silu,
                           Unary::gelu, Unary::gelu_tanh};

/// By the C library, in long double.
long double exact(Unary op, long double x) {
  const long double slope = std::sqrt(2 / std::numbers::pi_v<long double>);
  switch (op) {
    case Unary::neg:
      return -x;
    case Unary::abs:
      return std::fabs(x);
    case Unary::sign:
      return x > 0 ? 1 : x < 0 ? -1 : x;
    case Unary::exp:
      return std::exp(x);
    case Unary::log:
      return std::log(x);
    case Unary::sqrt:
      return std::sqrt(x);
    case Unary::reciprocal:
      return 1 / x;
    case Unary::square:
      return x * x;
    case Unary::sin:
      return std::sin(x);
    case Unary::cos:
      return std::cos(x);
    case Unary::tanh:
      return std::tanh(x);
    case Unary::erf:
      return std::erf(x);
    case Unary::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Unary::relu:
      return std::isnan(x) ? x : std::fmax(x, 0.0L);
    case Unary::silu:
      return x / (1 + std::exp(-x));
    case Unary::gelu:
      return x * std::erfc(-x / std::numbers::sqrt2_v<long double>) / 2;
    default:
      return x * (1 + std::tanh(slope * (x + 0.044715L * x * x * x))) / 2;
  }
}

/// Values of both signs from 2^-20 to 2^6.
Array sample(DType dtype, int64_t n = 3000) {
  const Array unit = naive::random({n}, float64, 7);
  std::vector<double> x(static_cast<size_t>(n));
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = unit.data<double>()[i] * std::exp2(static_cast<double>(i % 27) - 20);
  return Array::from(x, Shape{n}).to(dtype);
}

double relative_error(double found, long double expected, double floor) {
  if (std::isnan(expected)) return std::isnan(found) ? 0 : infinity;
  if (std::isinf(expected)) return found == static_cast<double>(expected) ? 0 : infinity;
  return static_cast<double>(std::fabs(found - expected) /
                             std::fmax(std::fabs(expected), static_cast<long double>(floor)));
}

}  // namespace

TEST_CASE("unary: float and double against the C library") {
  for (const DType dtype : {float32, float64}) {
    const Array x = sample(dtype);
    const double unit = dtype == float32 ? 0x1p-24 : 0x1p-53;
    for (const Unary op : all_unary) {
      // What goes to zero on the left keeps an absolute error.
      const double floor = op == Unary::gelu || op == Unary::gelu_tanh ? 1 : op == Unary::silu ? 1e-25 : 0;
      const Array y = kernels::unary(op, x);
      CHECK(y.shape() == x.shape());
      CHECK(y.dtype() == dtype);
      double worst = 0;
      for (int64_t i = 0; i < x.size(); ++i)
        worst = std::max(worst, relative_error(y.at({i}), exact(op, x.at({i})), floor));
      CHECK_MESSAGE(worst <= 5 * unit, std::string(kernels::name_of(op))
                                           << ' ' << std::string(name_of(dtype)) << ' ' << worst / unit);
    }
  }
}

TEST_CASE("unary: zeros, infinities and NaN") {
  struct Ends {
    Unary op;
    double at_zero, at_infinity, at_minus_infinity;
  };
  const Ends ends[] = {{Unary::neg, 0, -infinity, infinity},
                       {Unary::abs, 0, infinity, infinity},
                       {Unary::sign, 0, 1, -1},
                       {Unary::exp, 1, infinity, 0},
                       {Unary::log, -infinity, infinity, NAN},
                       {Unary::sqrt, 0, infinity, NAN},
                       {Unary::reciprocal, infinity, 0, 0},
                       {Unary::square, 0, infinity, infinity},
                       {Unary::sin, 0, NAN, NAN},
                       {Unary::cos, 1, NAN, NAN},
                       {Unary::tanh, 0, 1, -1},
                       {Unary::erf, 0, 1, -1},
                       {Unary::sigmoid, 0.5, 1, 0},
                       {Unary::relu, 0, infinity, 0},
                       {Unary::silu, 0, infinity, 0},
                       {Unary::gelu, 0, infinity, 0},
                       {Unary::gelu_tanh, 0, infinity, 0}};
  for (const DType dtype : {float32, float64})
    for (const Ends& end : ends) {
      const Unary op = end.op;
      CAPTURE(std::string(kernels::name_of(op)));
      const Array y = kernels::unary(
          op, Array::from({0.0, infinity, -infinity, static_cast<double>(NAN)}, {4}).to(dtype));
      const double expected[] = {end.at_zero, end.at_infinity, end.at_minus_infinity, NAN};
      for (int64_t i = 0; i < 4; ++i) {
        if (std::isnan(expected[i])) {
          CHECK(std::isnan(y.at({i})));
        } else {
          CHECK(y.at({i}) == expected[i]);
        }
      }
    }
}

TEST_CASE("unary: odd functions keep the sign of zero, exp is exact where it must be") {
  const Array zero = Array::from({-0.0f}, {1});
  for (const Unary op :
       {Unary::sin, Unary::tanh, Unary::erf, Unary::gelu, Unary::gelu_tanh, Unary::silu, Unary::sqrt})
    CHECK(std::signbit(kernels::unary(op, zero).at({0})));
  const Array x = Array::from({88.72284f, 88.72283f, -87.4f, -103.97f, -104.0f, 1e-45f}, {6});
  const Array y = kernels::unary(Unary::exp, x);
  CHECK(y.at({0}) == infinity);
  CHECK(y.at({1}) < infinity);
  CHECK(y.at({2}) > 0);  // subnormal
  CHECK(y.at({3}) == static_cast<double>(std::numeric_limits<float>::denorm_min()));
  CHECK(y.at({4}) == 0);
  CHECK(y.at({5}) == 1);
}

TEST_CASE("unary: integers, sizes 0 and 1, wrong types") {
  const Array x = Array::from(std::vector<int64_t>{3, -4, 0, std::numeric_limits<int64_t>::min()}, {4});
  CHECK(
      kernels::unary(Unary::neg, x)
          .identical(Array::from(std::vector<int64_t>{-3, 4, 0, std::numeric_limits<int64_t>::min()}, {4})));
  CHECK(kernels::unary(Unary::sign, x).identical(Array::from(std::vector<int64_t>{1, -1, 0, -1}, {4})));
  const Array small = Array::from(std::vector<int32_t>{3, -4, 0}, {3});
  CHECK(kernels::unary(Unary::abs, small).identical(Array::from(std::vector<int32_t>{3, 4, 0}, {3})));
  CHECK(kernels::unary(Unary::square, small).identical(Array::from(std::vector<int32_t>{9, 16, 0}, {3})));
  CHECK(kernels::unary(Unary::relu, small).identical(Array::from(std::vector<int32_t>{3, 0, 0}, {3})));
  for (const Unary op : all_unary) {
    CHECK(kernels::unary(op, Array::zeros({0, 3}, float32)).shape() == Shape{0, 3});
    CHECK(kernels::unary(op, Array::scalar(0.5, float64)).shape() == Shape{});
    CHECK_THROWS_AS(kernels::unary(op, Array::zeros({2}, boolean)), TypeError);
  }
  CHECK_THROWS_WITH_AS(kernels::unary(Unary::exp, x), "exp: needs float32 or float64, not int64", TypeError);
}

TEST_CASE("unary: the same bits with any number of threads") {
  const Array x = sample(float32, 100003);
  for (const Unary op : all_unary) naive::same_for_threads([&] { return kernels::unary(op, x); });
}

TEST_CASE("clamp") {
  const Array x = Array::from({-2.0f, 0.5f, 3.0f, NAN, -0.0f}, {5});
  const Array y = kernels::clamp(x, -1, 2);
  CHECK(y.at({0}) == -1);
  CHECK(y.at({1}) == 0.5);
  CHECK(y.at({2}) == 2);
  CHECK(std::isnan(y.at({3})));
  CHECK(kernels::clamp(x, 2, 1).at({1}) == 1);
  CHECK_THROWS_WITH_AS(kernels::clamp(x, NAN, 1), "clamp: a bound is NaN: low is nan, high is 1", ValueError);
  CHECK_THROWS_AS(kernels::clamp(Array::zeros({3}, int32), 0, 1), TypeError);
}
