// sin and cos of math.h. The angle is reduced in whole numbers (Payne and Hanek 1983), so any double is as
// good as a small one.
#include <weft/lib/base/math.h>

#include <bit>
#include <cstdint>
#include <limits>

namespace weft::math {
namespace {

__extension__ using uint128 = unsigned __int128;

/// 2 / pi in binary: 64 zeros, then 1,280 bits after the point.
constexpr uint64_t two_over_pi[] = {0,
                                    0xA2F9836E4E441529,
                                    0xFC2757D1F534DDC0,
                                    0xDB6295993C439041,
                                    0xFE5163ABDEBBC561,
                                    0xB7246E3A424DD2E0,
                                    0x06492EEA09D1921C,
                                    0xFE1DEB1CB129A73E,
                                    0xE88235F52EBB4484,
                                    0xE99C7026B45F7E41,
                                    0x3991D639835339F4,
                                    0x9C845F8BBDF9283B,
                                    0x1FF897FFDE05980F,
                                    0xEF2F118B5A0A6D1F,
                                    0x6D367ECF27CB09B7,
                                    0x4F463F669E5FEA2D,
                                    0x7527BAC7EBE5F17B,
                                    0x3D0739F78A5292EA,
                                    0x6BFB5FB11F8D5D08,
                                    0x56033046FC7B6BAB,
                                    0xF0CFBC209AF4361D};

/// 64 bits of the table from bit `first` on.
uint64_t window(int first) {
  const int word = first / 64, shift = first % 64;
  return shift == 0 ? two_over_pi[word]
                    : (two_over_pi[word] << shift) | (two_over_pi[word + 1] >> (64 - shift));
}

/// x = quadrant pi / 2 + high + low (mod 2 pi), |high| <= pi / 4.
struct Angle {
  int quadrant;
  double high, low;
};

/// For |x| >= pi / 4. x = M 2^e; of 2 / pi only the bits matter that give M 2^e times them a weight of at
/// most 2: 192 bits from there on leave 137 good bits behind the point, and no double comes nearer to a
/// multiple of pi / 2 than 2^-62.
Angle reduce(double x) {
  const auto bits = std::bit_cast<uint64_t>(x);
  const int e = static_cast<int>((bits >> 52) & 0x7FF) - 1075;
  const uint64_t mantissa = (bits & 0xFFFFFFFFFFFFF) | 0x10000000000000;
  const int first = e - 2 + 64;  // the bit of weight 2^-(e - 1) before the point of M 2^e
  const uint128 low = static_cast<uint128>(mantissa) * window(first + 128);
  const uint128 middle =
      static_cast<uint128>(mantissa) * window(first + 64) + static_cast<uint64_t>(low >> 64);
  const uint64_t high = mantissa * window(first) + static_cast<uint64_t>(middle >> 64);
  // Two bits of quadrant, then the fraction; half a quadrant is added so that cutting rounds to the nearest.
  const uint64_t rounded = high + (uint64_t{1} << 61);
  int quadrant = static_cast<int>(rounded >> 62);
  uint128 fraction = (static_cast<uint128>(high << 2 | static_cast<uint64_t>(middle) >> 62) << 64) |
                     (static_cast<uint64_t>(middle) << 2 | static_cast<uint64_t>(low) >> 62);
  double sign = 1;
  if ((fraction >> 127) != 0) {
    fraction = -fraction;
    sign = -1;
  }
  int zeros = 0;
  while ((fraction >> 127) == 0) {
    fraction <<= 1;
    ++zeros;
  }
  const auto to_double = [](uint64_t bits_53, int exponent) {
    return static_cast<double>(bits_53) * std::bit_cast<double>(static_cast<uint64_t>(exponent + 1023) << 52);
  };
  // In turn 26, 27 and 53 bits, so that their products with the leading halves of pi / 2 are exact.
  const double a = to_double(static_cast<uint64_t>(fraction >> 102), -26 - zeros);
  const double b = to_double(static_cast<uint64_t>(fraction >> 75) & 0x7FFFFFF, -53 - zeros);
  const double c = to_double(static_cast<uint64_t>(fraction >> 22) & 0x1FFFFFFFFFFFFF, -106 - zeros);
  constexpr double half_pi = 1.5707963267948966, half_pi_top = 0x1.921fb54p0,
                   half_pi_rest = 0x1.10b4611a62633p-30;
  const double top = a * half_pi_top;
  const double tail = a * half_pi_rest + b * half_pi_top + (b * half_pi_rest + c * half_pi);
  const double sum = top + tail;
  if (std::bit_cast<int64_t>(x) < 0) {
    sign = -sign;
    quadrant = -quadrant;
  }
  return {quadrant & 3, sign * sum, sign * ((top - sum) + tail)};
}

/// sin(x + rest) and cos(x + rest) for |x| <= pi / 4. Minimax, errors 2^-57 and 2^-63.
double sin_near(double x, double rest) {
  const double z = x * x;
  const double tail =
      0.008333333333323778 +
      z * (-0.00019841269830708696 +
           z * (2.7557313960749003e-06 + z * (-2.5050795336136414e-08 + z * 1.5898740767808794e-10)));
  const double cube = z * x;
  return x - ((z * (0.5 * rest - cube * tail) - rest) - cube * -0.16666666666666638);
}
double cos_near(double x, double rest) {
  const double z = x * x;
  const double tail =
      z *
      (0.04166666666666666 +
       z * (-0.0013888888888883366 +
            z * (2.4801587294870476e-05 +
                 z * (-2.7557315813152055e-07 + z * (2.087591056873326e-09 + z * -1.1368837037619996e-11)))));
  const double half = 0.5 * z, first = 1 - half;
  return first + (((1 - first) - half) + (z * tail - x * rest));
}

/// sin(x + turns pi / 2).
double sin_turned(double x, int turns) {
  constexpr double quarter_pi = 0.7853981633974483;
  if (!(__builtin_fabs(x) <= std::numeric_limits<double>::max()))
    return std::numeric_limits<double>::quiet_NaN();
  const Angle angle = __builtin_fabs(x) <= quarter_pi ? Angle{0, x, 0} : reduce(x);
  switch ((angle.quadrant + turns) & 3) {
    case 0:
      return sin_near(angle.high, angle.low);
    case 1:
      return cos_near(angle.high, angle.low);
    case 2:
      return -sin_near(angle.high, angle.low);
    default:
      return -cos_near(angle.high, angle.low);
  }
}

}  // namespace

double sin(double x) { return sin_turned(x, 0); }
double cos(double x) { return sin_turned(x, 1); }

}  // namespace weft::math
