// Sixteen lanes as one AVX-512 register. See vector.h for what each operation means.
#pragma once

// g++ 12 takes the undefined operand inside its own intrinsics for a mistake (GCC bug 105593).
#ifndef __clang__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#ifndef __clang__
#pragma GCC diagnostic pop
#endif

namespace weft::isa {
namespace {

struct Vec {
  __m512 v;
};
struct VecI {
  __m512i v;
};
using LaneMask = __mmask16;

inline Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
inline void store(float* p, Vec a) { _mm512_storeu_ps(p, a.v); }
inline void store_half(float* p, Vec x) { _mm256_storeu_ps(p, _mm512_castps512_ps256(x.v)); }
inline void stream(float* p, Vec a) { _mm512_stream_ps(p, a.v); }
inline void end_streams() { _mm_sfence(); }
inline LaneMask first_lanes(long n) { return static_cast<LaneMask>((1u << n) - 1u); }
inline Vec load_first(const float* p, long n) {
  return n >= 16 ? load(p) : Vec{_mm512_maskz_loadu_ps(first_lanes(n), p)};
}
inline void store_first(float* p, Vec a, long n) {
  if (n >= 16) return store(p, a);
  _mm512_mask_storeu_ps(p, first_lanes(n), a.v);
}
inline Vec set(float x) { return {_mm512_set1_ps(x)}; }
inline Vec zero() { return {_mm512_setzero_ps()}; }

inline Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
inline Vec operator-(Vec a) { return {_mm512_xor_ps(a.v, _mm512_set1_ps(-0.0f))}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline Vec sqrt(Vec a) { return {_mm512_sqrt_ps(a.v)}; }
inline Vec abs(Vec a) { return {_mm512_abs_ps(a.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
inline Vec round(Vec a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }

inline LaneMask less(Vec a, Vec b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ); }
inline LaneMask less_equal(Vec a, Vec b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ); }
inline LaneMask equal(Vec a, Vec b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ); }
inline LaneMask is_nan(Vec a) { return _mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q); }
inline bool all(LaneMask m) { return m == 0xFFFF; }
inline Vec select(LaneMask m, Vec a, Vec b) { return {_mm512_mask_blend_ps(m, b.v, a.v)}; }

inline VecI bits(Vec a) { return {_mm512_castps_si512(a.v)}; }
inline Vec from_bits(VecI a) { return {_mm512_castsi512_ps(a.v)}; }
inline VecI to_int(Vec a) { return {_mm512_cvtps_epi32(a.v)}; }
inline Vec to_float(VecI a) { return {_mm512_cvtepi32_ps(a.v)}; }
inline VecI set_int(int x) { return {_mm512_set1_epi32(x)}; }
inline VecI load_int(const void* p) { return {_mm512_loadu_si512(p)}; }
inline void store_int(void* p, VecI a) { _mm512_storeu_si512(p, a.v); }
inline VecI operator+(VecI a, VecI b) { return {_mm512_add_epi32(a.v, b.v)}; }
inline VecI operator-(VecI a, VecI b) { return {_mm512_sub_epi32(a.v, b.v)}; }
inline VecI operator&(VecI a, VecI b) { return {_mm512_and_si512(a.v, b.v)}; }
inline VecI operator|(VecI a, VecI b) { return {_mm512_or_si512(a.v, b.v)}; }
inline VecI operator^(VecI a, VecI b) { return {_mm512_xor_si512(a.v, b.v)}; }
template <int n>
inline VecI shift_left(VecI a) {
  return {_mm512_slli_epi32(a.v, n)};
}
template <int n>
inline VecI shift_right(VecI a) {
  return {_mm512_srli_epi32(a.v, n)};
}
template <int n>
inline VecI shift_right_signed(VecI a) {
  return {_mm512_srai_epi32(a.v, n)};
}

inline LaneMask less(VecI a, VecI b) { return _mm512_cmplt_epi32_mask(a.v, b.v); }
inline VecI operator*(VecI a, VecI b) { return {_mm512_mullo_epi32(a.v, b.v)}; }
inline VecI multiply_high(VecI a, VecI b) {
  const __m512i even = _mm512_srli_epi64(_mm512_mul_epu32(a.v, b.v), 32);
  const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a.v, 32), _mm512_srli_epi64(b.v, 32));
  return {_mm512_mask_blend_epi32(0xAAAA, even, odd)};
}
inline void interleave(VecI& a, VecI& b, VecI& c, VecI& d) {
  const __m512i ac_low = _mm512_unpacklo_epi32(a.v, c.v), ac_high = _mm512_unpackhi_epi32(a.v, c.v);
  const __m512i bd_low = _mm512_unpacklo_epi32(b.v, d.v), bd_high = _mm512_unpackhi_epi32(b.v, d.v);
  const __m512i q0 = _mm512_unpacklo_epi32(ac_low, bd_low), q1 = _mm512_unpackhi_epi32(ac_low, bd_low);
  const __m512i q2 = _mm512_unpacklo_epi32(ac_high, bd_high), q3 = _mm512_unpackhi_epi32(ac_high, bd_high);
  // q0..q3 hold, in each quarter j, the words of blocks 4 j + 0..3: what is left is a 4 x 4 transposition of
  // quarters.
  const __m512i low01 = _mm512_shuffle_i32x4(q0, q1, 0x44), high01 = _mm512_shuffle_i32x4(q0, q1, 0xEE);
  const __m512i low23 = _mm512_shuffle_i32x4(q2, q3, 0x44), high23 = _mm512_shuffle_i32x4(q2, q3, 0xEE);
  a = {_mm512_shuffle_i32x4(low01, low23, 0x88)};
  b = {_mm512_shuffle_i32x4(low01, low23, 0xDD)};
  c = {_mm512_shuffle_i32x4(high01, high23, 0x88)};
  d = {_mm512_shuffle_i32x4(high01, high23, 0xDD)};
}

inline float reduce_add(Vec a) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
inline float reduce_max(Vec a) {
  const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

// A factor of vpdpbusd and of vpmaddubsw has no sign. The former takes x + 128, which adds 128 times the sum of q's
// values; for the latter that of q goes to x.
#if defined(__AVX512VNNI__)
struct Quad {
  __m512i value;
};
inline VecI begin_dot(int sum) { return {_mm512_set1_epi32(-128 * sum)}; }
inline VecI dot(VecI sum, VecI x, Quad q) {
  return {_mm512_dpbusd_epi32(sum.v, _mm512_xor_si512(x.v, _mm512_set1_epi8(-128)), q.value)};
}
#else
struct Quad {
  __m512i size;
  __mmask64 negative;
};
inline VecI begin_dot(int) { return {_mm512_setzero_si512()}; }
inline VecI dot(VecI sum, VecI x, Quad q) {
  const __m512i turned = _mm512_mask_sub_epi8(x.v, q.negative, _mm512_setzero_si512(), x.v);
  // Two products are at most 2 * 127 * 127, less than where it saturates.
  const __m512i pairs = _mm512_maddubs_epi16(q.size, turned);
  return {_mm512_add_epi32(sum.v, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)))};
}
#endif
inline Quad broadcast_quad(const void* p) {
  int bytes;
  __builtin_memcpy(&bytes, p, sizeof bytes);
  const __m512i value = _mm512_set1_epi32(bytes);
#if defined(__AVX512VNNI__)
  return {value};
#else
  return {_mm512_abs_epi8(value), _mm512_movepi8_mask(value)};
#endif
}
#if defined(__AVX512BF16__)
inline Vec dot_pairs(Vec sum, Vec x, Vec y) {
  return {_mm512_dpbf16_ps(sum.v, reinterpret_cast<__m512bh>(x.v), reinterpret_cast<__m512bh>(y.v))};
}
#endif
inline VecI load_halves(const unsigned short* p) {
  return {_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
inline void store_halves(unsigned short* p, VecI x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(x.v));
}
inline VecI load_first_halves(const unsigned short* p, long n) {
  return n >= 16 ? load_halves(p) : VecI{_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(first_lanes(n), p))};
}
inline void store_first_halves(unsigned short* p, VecI x, long n) {
  if (n >= 16) return store_halves(p, x);
  _mm256_mask_storeu_epi16(p, first_lanes(n), _mm512_cvtepi32_epi16(x.v));
}
inline void store_bytes(void* p, VecI x) {
  _mm_storeu_si128(static_cast<__m128i*>(p), _mm512_cvtepi32_epi8(x.v));
}

}  // namespace
}  // namespace weft::isa
