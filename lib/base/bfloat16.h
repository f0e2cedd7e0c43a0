// bfloat16: the upper half of a float32, as files and other programs store it, and as activations may be held. 1 sign
// bit, 8 exponent bits of bias 127, 7 mantissa bits.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

namespace weft {

/// The nearest bfloat16, of two equally near the even one; too large a number becomes infinity. NaN stays
/// NaN: quiet, with its sign and the upper bits of its payload.
inline uint16_t bfloat16_of(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  if (std::isnan(x)) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

/// Exact.
inline float float_of_bfloat16(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

/// An element of such an array. A number becomes one by way of float; it reads as float, exactly.
struct BFloat16 {
  uint16_t bits;

  BFloat16() = default;
  template <class T>
  requires std::is_arithmetic_v<T>
  explicit BFloat16(T x) : bits(bfloat16_of(static_cast<float>(x))) {}
  operator float() const { return float_of_bfloat16(bits); }  // NOLINT: exact, as float to double is
};

}  // namespace weft
