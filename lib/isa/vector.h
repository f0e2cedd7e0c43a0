// The sixteen lanes that all vector code is written over. vec_avx512.h, vec_avx2.h and vec_scalar.h define
// the same names with the same bits; a body includes none of them, its including source does (see table.h).
//
//   Vec, VecI, LaneMask   sixteen floats, int32s, truth values
//   load, store           unaligned; load_int, store_int for VecI
//   stream(p, x)          a store around the caches, p a multiple of 64; others see it after end_streams()
//   load_first(p, n)      lanes [0, n) from memory, the others 0; n is 0 to 16, p[n] and on are not touched
//   store_first(p, x, n)  writes lanes [0, n) only
//   store_half(p, x)      writes lanes [0, 8) only
//   set, set_int, zero    one value in every lane
//   + - * / sqrt fma      rounded once, to nearest even; fma(a, b, c) = a b + c
//   unary -, abs          flips, clears the sign bit
//   max, min              x > y ? x : y and x < y ? x : y: the second where either is NaN or both are zeros
//   round, to_int         to the nearest whole number, ties to even; to_int gives -2^31 for what does not fit
//   less, less_equal, equal, is_nan   false where either is NaN, but for is_nan; less on VecI is signed
//   select(m, x, y)       m ? x : y, lane by lane
//   all(m)                whether every lane is true
//   bits, from_bits       the same 32 bits read as the other type; to_float converts
//   + - * & | ^ on VecI   modulo 2^32
//   multiply_high         the upper half of the unsigned 64-bit product
//   shift_left<n>, shift_right<n>, shift_right_signed<n>
//   interleave(a, b, c, d)   a0 b0 c0 d0 a1 b1 ... d15 in place of the four
//   reduce_add, reduce_max   lanes i and i + 8, then i + 4, i + 2, i + 1: the one tree of all reductions;
//                            reduce_max may miss a NaN
//   Quad, broadcast_quad(p)  the four int8 that begin at p, for every lane
//   dot(sum, x, q)           sum + x0 q0 + x1 q1 + x2 q2 + x3 q3 of the four int8 in each lane of x, modulo 2^32; exact, so
//                            all of them must be within 127 of 0
//   begin_dot(sum)           what a chain of dot begins with, and its end is the sum of all products then; `sum` is that of
//                            all the values of its quads
//   store_bytes(p, x)        the lanes, each within an int8, as sixteen bytes
//   load_halves, store_halves(p, x)   sixteen uint16 as VecI, the lower halves of the lanes as sixteen uint16
//   load_first_halves, store_first_halves   the same of lanes [0, n), as load_first and store_first
#pragma once

namespace weft::isa {
namespace {

inline Vec operator+(Vec x, float y) { return x + set(y); }
inline Vec operator*(Vec x, float y) { return x * set(y); }
/// a b + c with constants broadcast.
inline Vec fma(Vec a, float b, Vec c) { return fma(a, set(b), c); }
inline Vec fma(Vec a, Vec b, float c) { return fma(a, b, set(c)); }
/// c - a b, rounded once.
inline Vec fnma(Vec a, Vec b, Vec c) { return fma(-a, b, c); }
inline Vec copy_sign(Vec size, Vec sign) {
  return from_bits((bits(size) & set_int(0x7FFFFFFF)) | (bits(sign) & set_int(-2147483647 - 1)));
}

/// c[0] + c[1] x + ... + c[n - 1] x^(n - 1) by Horner's rule.
template <int n>
inline Vec polynomial(Vec x, const float (&c)[n]) {
  Vec sum = set(c[n - 1]);
  for (int i = n - 2; i >= 0; --i) sum = fma(sum, x, set(c[i]));
  return sum;
}

/// Floats of bfloat16, which stand in the lower halves of the lanes, and the reverse, as base/bfloat16.h rounds.
inline Vec widened(VecI halves) { return from_bits(shift_left<16>(halves)); }
inline VecI narrowed(Vec x) {
  const VecI own = bits(x), up = own + set_int(0x7FFF) + (shift_right<16>(own) & set_int(1));
  return shift_right<16>(bits(select(is_nan(x), from_bits(own | set_int(0x400000)), from_bits(up))));
}

#if !defined(__AVX512BF16__)
/// sum + x1 y1 and then + x0 y0 of the two bfloat16 in each lane of x and y, the second being the upper half; each added
/// by fma. As vdpbf16ps does, where subnormal numbers are flushed.
inline Vec dot_pairs(Vec sum, Vec x, Vec y) {
  const VecI upper = set_int(-65536);
  sum = fma(from_bits(bits(x) & upper), from_bits(bits(y) & upper), sum);
  return fma(widened(bits(x)), widened(bits(y)), sum);
}
#endif

/// Calls f(offset, lanes) for 0, 16, 32, ... below n; lanes is 16 but in the last call, where it may be less.
/// f is meant to be inlined twice, load_first and store_first with all 16 lanes being load and store.
template <class F>
inline void for_lanes(long n, F f) {
  long i = 0;
  for (; i + 16 <= n; i += 16) f(i, 16L);
  if (i < n) f(i, n - i);
}

/// Lanes [0, n).
inline LaneMask first_lanes_of(long n) {
  static constexpr int lane[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return less(load_int(lane), set_int(static_cast<int>(n)));
}
/// As load_first, with `fill` in the other lanes.
inline Vec load_first(const float* p, long n, float fill) {
  return n >= 16 ? load(p) : select(first_lanes_of(n), load_first(p, n), set(fill));
}

/// The first `width` lanes, 8 or 16.
template <long width>
inline void store_lanes(float* p, Vec x) {
  if constexpr (width == 8) {
    store_half(p, x);
  } else {
    store(p, x);
  }
}

}  // namespace
}  // namespace weft::isa
