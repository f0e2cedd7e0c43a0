#include <weft/lib/base/math.h>

#include <bit>
#include <cstdint>
#include <limits>

namespace weft::math {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double ln2_high = 0x1.62e42feep-1;  // 32 bits, so that its product with an exponent is exact
constexpr double ln2_low = 1.9082149292705877e-10;

/// high + low, |low| at most half an ulp of high.
struct Pair {
  double high, low;
};

/// a + b exactly (Knuth 1969).
Pair two_sum(double a, double b) {
  const double sum = a + b;
  const double part = sum - a;
  return {sum, (a - (sum - part)) + (b - part)};
}

/// a b exactly, by halves of 26 bits (Dekker 1971); |a|, |b| below 2^996.
Pair two_product(double a, double b) {
  constexpr double splitter = 134217729.0;  // 2^27 + 1
  const double ca = splitter * a, cb = splitter * b;
  const double a_high = ca - (ca - a), a_low = a - a_high;
  const double b_high = cb - (cb - b), b_low = b - b_high;
  const double product = a * b;
  return {product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low};
}

/// Product of pairs to about 2^-102.
Pair operator*(Pair a, Pair b) {
  const Pair p = two_product(a.high, b.high);
  return two_sum(p.high, p.low + (a.high * b.low + a.low * b.high));
}

/// a / (b + c), rounded nearly once.
double quotient(double a, double b, double c) {
  const Pair d = two_sum(b, c);
  const double q = a / d.high;
  const Pair product = two_product(q, d.high);
  return q + (((a - product.high) - product.low) - q * d.low) / d.high;
}

double absolute(double x) { return __builtin_fabs(x); }

template <int n>
double polynomial(double x, const double (&c)[n]) {
  double sum = c[n - 1];
  for (int i = n - 2; i >= 0; --i) sum = sum * x + c[i];
  return sum;
}

/// x 2^n for n in [-1100, 1100], rounded once.
double scale(double x, int n) {
  const int half = n / 2;
  const auto power = [](int k) { return std::bit_cast<double>(static_cast<uint64_t>(k + 1023) << 52); };
  return x * power(half) * power(n - half);
}

/// e^(x + rest) = 2^n (1 + r + tail), |r| at most ln(2) / 2 and a little.
struct ExpParts {
  int n;
  double r, tail;
};
ExpParts exp_parts(double x, double rest) {
  // (e^r - 1 - r) / r^2 on [-ln(2) / 2, ln(2) / 2]; minimax, error 2^-63.
  static constexpr double c[] = {0.5,
                                 0.16666666666666682,
                                 0.04166666666666672,
                                 0.008333333333317105,
                                 0.0013888888888859217,
                                 0.0001984126989630584,
                                 2.480158737257505e-05,
                                 2.7557234883219786e-06,
                                 2.7557234176483475e-07,
                                 2.5112041736709404e-08,
                                 2.0926727165877713e-09};
  const double steps = (x * 1.4426950408889634 + 0x1.8p52) - 0x1.8p52;
  const double high = x - steps * ln2_high, low = steps * ln2_low - rest;
  const double r = high - low;
  return {static_cast<int>(steps), r, ((high - r) - low) + r * r * polynomial(r, c)};
}

double exp_of_sum(double x, double rest) {
  if (!(x < 709.79)) return x != x ? x : infinity;
  if (x < -745.14) return 0;
  const ExpParts e = exp_parts(x, rest);
  return scale(1 + (e.r + e.tail), e.n);
}

/// x = m 2^e with m in [sqrt(1/2), sqrt 2), for finite x > 0.
struct Split {
  double m;
  int e;
};
Split split(double x) {
  int below = 0;
  if (x < std::numeric_limits<double>::min()) {
    x *= 0x1p54;
    below = 54;
  }
  const auto bits = std::bit_cast<int64_t>(x);
  const auto offset = bits - std::bit_cast<int64_t>(0x1.6a09e667f3bcdp-1);
  const auto e = static_cast<int>(offset >> 52);
  return {std::bit_cast<double>(bits - static_cast<int64_t>(static_cast<uint64_t>(e) << 52)), e - below};
}

/// ln x to about 2^-66, for finite x > 0: ln m = 2 artanh s with s = (m - 1) / (m + 1), its first two terms
/// as pairs.
Pair log_pair(double x) {
  static constexpr double c[] = {0.40000000000000396, 0.28571428570907875, 0.22222222387666574,
                                 0.18181795070949133, 0.15386297938029603, 0.13266844437266864,
                                 0.1310866340163477};
  const auto [m, e] = split(x);
  const double f = m - 1;
  const Pair d = two_sum(m, 1);
  const double near = f / d.high;
  const Pair product = two_product(near, d.high);
  const Pair s = two_sum(near, ((f - product.high) - product.low - near * d.low) / d.high);
  const Pair square = s * s;
  const Pair cube = (square * s) * Pair{0.6666666666666666, 3.700743415417188e-17};
  const double fifth = square.high * square.high * s.high * polynomial(square.high, c);
  const Pair first = two_sum(e * ln2_high, 2 * s.high);
  const Pair second = two_sum(first.high, cube.high);
  return two_sum(second.high, second.low + (first.low + (2 * s.low + (cube.low + (fifth + e * ln2_low)))));
}

bool is_whole(double y) { return absolute(y) >= 0x1p52 || (absolute(y) + 0x1p52) - 0x1p52 == absolute(y); }
bool is_odd(double y) { return absolute(y) < 0x1p53 && is_whole(y) && (static_cast<int64_t>(y) & 1) != 0; }

}  // namespace

double exp(double x) { return exp_of_sum(x, 0); }

double expm1(double x) {
  if (!(x < 700)) return exp(x);
  if (x < -40) return -1;
  if (absolute(x) < 0x1p-54) return x;
  const ExpParts e = exp_parts(x, 0);
  if (e.n == 0) return e.r + e.tail;
  const Pair sum = two_sum(scale(1, e.n) - 1, scale(e.r, e.n));
  return sum.high + (sum.low + scale(e.tail, e.n));
}

double log(double x) {
  // (2 artanh s - 2 s) / s^3 in s^2; minimax, error 2^-58 of ln m.
  static constexpr double c[] = {0.6666666666666731, 0.3999999999943344, 0.2857142873902022,
                                 0.2222219886173376, 0.1818355155236537, 0.15314332266736175,
                                 0.14793503269067787};
  if (!(x > 0)) return x == 0 ? -infinity : nan;
  if (x == infinity) return x;
  const auto [m, e] = split(x);
  const double f = m - 1, s = f / (2 + f), z = s * s;
  // 2 s = f - s f, and f - s f + s z p = f - (f^2 / 2 - s (f^2 / 2 + z p)), where the part taken from f is
  // small.
  const double half = 0.5 * f * f;
  const double small = s * (half + z * polynomial(z, c)) + e * ln2_low;
  return e * ln2_high - ((half - small) - f);
}

double log1p(double x) {
  if (!(x > -1)) return x == -1 ? -infinity : nan;
  if (absolute(x) < 0x1p-54 || x == infinity) return x;
  const double u = 1 + x;
  // What rounding took from 1 + x, first order.
  const double rest = absolute(x) < 1 ? x - (u - 1) : 1 - (u - x);
  return log(u) + rest / u;
}

double tanh(double x) {
  const double size = absolute(x);
  if (!(size < 22)) return x != x ? x : __builtin_copysign(1.0, x);
  if (size < 0x1p-28) return x;
  const double t = expm1(-2 * size);
  return __builtin_copysign(quotient(-t, t, 2), x);
}

double erf(double x) {
  // erf(x) / x - 1 in x^2 up to x = 1; minimax, error 2^-62.
  static constexpr double near[] = {0.1283791670955126,      -0.3761263890318375,     0.11283791670954885,
                                    -0.026866170645077875,   0.00522397762482843,     -0.0008548326981425996,
                                    0.00012055331132988645,  -1.4925595773305657e-05, 1.6461008500463625e-06,
                                    -1.6350396504903226e-07, 1.4660330858787547e-08,  -1.1374964774195256e-09,
                                    5.960701739558499e-11};
  // erfc(x) e^(x^2) in 1 / (1 + x / 2) from 1 to 6; minimax, error of erf 2^-60.
  static constexpr double far[] = {-3.128246167113511e-06, 0.2821886058029415,  0.2808178046172099,
                                   0.25729968296851025,    0.11865462688629347, 0.30877767445661725,
                                   -0.6419263731924569,    1.258620436001124,   -1.9941917087403143,
                                   1.9418663169609616,     -1.1253657493095461, 0.3650148752448937,
                                   -0.051753658343257784};
  const double size = absolute(x);
  if (!(size < 6)) return x != x ? x : __builtin_copysign(1.0, x);
  if (size < 1) return x + x * polynomial(x * x, near);
  const Pair square = two_product(x, x);
  const double complement = exp_of_sum(-square.high, -square.low) * polynomial(1 / (1 + 0.5 * size), far);
  return __builtin_copysign(1 - complement, x);
}

double pow(double x, double y) {
  if (y == 0 || x == 1) return 1;
  if (x != x || y != y) return nan;
  const double size = absolute(x);
  const double sign = x < 0 || (x == 0 && __builtin_signbit(x)) ? (is_odd(y) ? -1.0 : 1.0) : 1.0;
  if (size == 0) return sign * (y > 0 ? 0.0 : infinity);
  if (size == infinity) return sign * (y > 0 ? infinity : 0.0);
  if (size == 1 && is_whole(y)) return sign;
  if (absolute(y) >= 0x1p64) return (size > 1) == (y > 0) ? infinity : 0.0;
  if (x < 0 && !is_whole(y)) return nan;
  const Pair logarithm = log_pair(size);
  const Pair product = two_product(y, logarithm.high);
  return sign * exp_of_sum(product.high, product.low + y * logarithm.low);
}

double sqrt(double x) { return __builtin_sqrt(x); }

double sigmoid(double x) {
  const double e = exp(-absolute(x));
  return quotient(x < 0 ? e : 1.0, 1, e);
}

}  // namespace weft::math
