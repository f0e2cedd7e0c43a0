// float16 (IEEE 754 binary16), as files and other programs store it. 1 sign bit, 5 exponent bits of bias 15, 10 mantissa bits.
#pragma once

#include <bit>
#include <cstdint>

namespace weft {

/// The largest that is finite.
inline constexpr float float16_max = 65504.0f;

/// The nearest float16, of two equally near the even one; too large a number becomes infinity. NaN stays NaN: quiet, with its
/// sign.
inline uint16_t float16_of(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const uint32_t rest = bits & 0x7FFFFFFF;
  if (rest > 0x7F800000) return static_cast<uint16_t>(sign | 0x7E00);
  if (rest >= 0x477FF000) return static_cast<uint16_t>(sign | 0x7C00);
  if (rest < 0x38800000) {  // below 2^-14, a whole number of 2^-24, to which adding a half rounds
    const uint32_t rounded = std::bit_cast<uint32_t>(std::bit_cast<float>(rest) + 0.5f);
    return static_cast<uint16_t>(sign | (rounded - 0x3F000000));
  }
  const uint32_t odd = rest >> 13 & 1;
  return static_cast<uint16_t>(sign | (rest - 0x38000000 + 0xFFF + odd) >> 13);
}

/// Exact.
inline float float_of_float16(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000U) << 16;
  uint32_t exponent = (half >> 10) & 0x1FU, fraction = half & 0x3FFU;
  if (exponent == 0x1F) {
    exponent = 0xFF;
  } else if (exponent != 0) {
    exponent += 127 - 15;
  } else if (fraction != 0) {
    // Below 2^-14 a half has no leading 1; a float has room to shift it there.
    const int shift = std::countl_zero(fraction) - 21;
    fraction = (fraction << shift) & 0x3FFU;
    exponent = static_cast<uint32_t>(127 - 14 - shift);
  }
  return std::bit_cast<float>(sign | exponent << 23 | fraction << 13);
}

}  // namespace weft
