#include <doctest/doctest.h>
#include <weft/lib/base/math.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

namespace {

using namespace weft;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Error in ulp of the exact value, which the 80-bit functions of the C library give.
double ulps(double found, long double exact) {
  const auto rounded = static_cast<double>(exact);
  if (std::isnan(found) || std::isnan(rounded))
    return std::isnan(found) == std::isnan(rounded) ? 0 : infinity;
  if (std::isinf(found) || std::isinf(rounded) || exact == 0) return found == rounded ? 0 : infinity;
  int exponent = 0;
  std::frexp(exact, &exponent);
  const int unit = exponent - 53 > -1074 ? exponent - 53 : -1074;
  return static_cast<double>(std::fabs(static_cast<long double>(found) - exact) / std::ldexp(1.0L, unit));
}

template <class F, class Exact>
double worst(F f, Exact exact, double low, double high) {
  std::mt19937_64 bits(1);
  double largest = 0;
  for (int i = 0; i < 20000; ++i) {
    const double x = low + (high - low) * (static_cast<double>(bits() >> 11) * 0x1p-53);
    largest = std::max(largest, ulps(f(x), exact(static_cast<long double>(x))));
  }
  return largest;
}

/// Arguments of every exponent.
template <class F, class Exact>
double worst_anywhere(F f, Exact exact) {
  std::mt19937_64 bits(2);
  double largest = 0;
  for (int i = 0; i < 20000; ++i) {
    const double x = std::ldexp(static_cast<double>(static_cast<int64_t>(bits())) * 0x1p-63,
                                static_cast<int>(bits() % 2090) - 1065);
    largest = std::max(largest, ulps(f(x), exact(static_cast<long double>(x))));
  }
  return largest;
}

}  // namespace

TEST_CASE("math: functions of double are as exact as their header says") {
  const auto exp = [](long double x) { return std::exp(x); };
  CHECK(worst(math::exp, exp, -746, 710) <= 0.86);
  CHECK(worst(math::exp, exp, -2, 2) <= 0.86);
  const auto expm1 = [](long double x) { return std::expm1(x); };
  CHECK(worst(math::expm1, expm1, -2, 2) <= 1.15);
  CHECK(worst(math::expm1, expm1, -40, 710) <= 1.15);
  CHECK(worst_anywhere(math::expm1, expm1) <= 1.15);
  const auto log = [](long double x) { return std::log(x); };
  CHECK(worst(math::log, log, 0.3, 3) <= 0.84);
  CHECK(worst_anywhere(math::log, log) <= 0.84);
  const auto log1p = [](long double x) { return std::log1p(x); };
  CHECK(worst(math::log1p, log1p, -1, 3) <= 1.44);
  CHECK(worst_anywhere(math::log1p, log1p) <= 1.44);
  const auto tanh = [](long double x) { return std::tanh(x); };
  CHECK(worst(math::tanh, tanh, -3, 3) <= 1.65);
  CHECK(worst_anywhere(math::tanh, tanh) <= 1.65);
  const auto erf = [](long double x) { return std::erf(x); };
  CHECK(worst(math::erf, erf, -6.1, 6.1) <= 1.38);
  CHECK(worst_anywhere(math::erf, erf) <= 1.38);
  const auto sigmoid = [](long double x) { return 1 / (1 + std::exp(-x)); };
  CHECK(worst(math::sigmoid, sigmoid, -745, 745) <= 1.46);
  CHECK(worst(math::sigmoid, sigmoid, -5, 5) <= 1.46);
}

TEST_CASE("math: angles of any size") {
  const auto sin = [](long double x) { return std::sin(x); };
  const auto cos = [](long double x) { return std::cos(x); };
  for (const double range : {1.0, 10.0, 1e6, 1e15}) {
    CHECK(worst(math::sin, sin, -range, range) <= 0.78);
    CHECK(worst(math::cos, cos, -range, range) <= 0.77);
  }
  CHECK(worst_anywhere(math::sin, sin) <= 0.78);
  CHECK(worst_anywhere(math::cos, cos) <= 0.77);
  // The double that comes nearest to a multiple of pi / 2.
  CHECK(ulps(math::cos(0x1.6ac5b262ca1ffp+849), -4.687165924254627611122582801963884e-19L) <= 0.77);
  CHECK(std::isnan(math::sin(infinity)));
  CHECK(std::isnan(math::cos(-infinity)));
}

TEST_CASE("math: powers") {
  std::mt19937_64 bits(3);
  const auto unit = [&] { return static_cast<double>(bits() >> 11) * 0x1p-53; };
  double largest = 0;
  for (int i = 0; i < 20000; ++i) {
    const double x = std::exp2((unit() - 0.5) * 2000), y = (unit() - 0.5) * 1500 / std::log(x);
    largest = std::max(
        largest, ulps(math::pow(x, y), std::pow(static_cast<long double>(x), static_cast<long double>(y))));
    const double near = 1 + (unit() - 0.5) * 1e-3, large = (unit() - 0.5) * 1e6;
    largest = std::max(largest, ulps(math::pow(near, large), std::pow(static_cast<long double>(near),
                                                                      static_cast<long double>(large))));
  }
  CHECK(largest <= 0.85);
  const double special[] = {0.0,  -0.0,     1,         -1,  2,     -2,     3,      -3,        0.3,
                            -0.3, infinity, -infinity, NAN, 1e300, 1e-310, 0x1p53, 0x1p53 + 2};
  for (const double x : special)
    for (const double y : special) {
      const double expected = std::pow(x, y), found = math::pow(x, y);
      CAPTURE(x);
      CAPTURE(y);
      if (std::isnan(expected)) {
        CHECK(std::isnan(found));
      } else {
        CHECK(ulps(found, expected) <= 1.01);
        CHECK(std::signbit(found) == std::signbit(expected));
      }
    }
}

TEST_CASE("math: zeros keep their sign, ends are exact") {
  for (const double zero : {0.0, -0.0})
    for (const auto f : {math::expm1, math::log1p, math::sin, math::tanh, math::erf}) {
      CHECK(f(zero) == 0);
      CHECK(std::signbit(f(zero)) == std::signbit(zero));
    }
  CHECK(math::exp(0.0) == 1);
  CHECK(math::exp(-infinity) == 0);
  CHECK(math::exp(infinity) == infinity);
  CHECK(math::log(0.0) == -infinity);
  CHECK(std::isnan(math::log(-1)));
  CHECK(math::log(1.0) == 0);
  CHECK(math::tanh(infinity) == 1);
  CHECK(math::erf(-infinity) == -1);
  CHECK(math::sigmoid(-infinity) == 0);
  CHECK(math::sigmoid(infinity) == 1);
  for (const auto f : {math::exp, math::expm1, math::log, math::log1p, math::sin, math::cos, math::tanh,
                       math::erf, math::sigmoid})
    CHECK(std::isnan(f(NAN)));
}
