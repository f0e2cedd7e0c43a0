// Sixteen lanes as two AVX2 registers. See vector.h for what each operation means.
#pragma once

#include <immintrin.h>

namespace weft::isa {
namespace {

struct Vec {
  __m256 a, b;
};
struct VecI {
  __m256i a, b;
};
struct LaneMask {
  __m256 a, b;
};

inline Vec load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
inline void store(float* p, Vec x) {
  _mm256_storeu_ps(p, x.a);
  _mm256_storeu_ps(p + 8, x.b);
}
inline void store_half(float* p, Vec x) { _mm256_storeu_ps(p, x.a); }
inline void stream(float* p, Vec x) {
  _mm256_stream_ps(p, x.a);
  _mm256_stream_ps(p + 8, x.b);
}
inline void end_streams() { _mm_sfence(); }
inline __m256i first_eight(long n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline Vec load_first(const float* p, long n) {
  if (n >= 16) return load(p);
  return {_mm256_maskload_ps(p, first_eight(n)), _mm256_maskload_ps(p + 8, first_eight(n - 8))};
}
inline void store_first(float* p, Vec x, long n) {
  if (n >= 16) return store(p, x);
  _mm256_maskstore_ps(p, first_eight(n), x.a);
  _mm256_maskstore_ps(p + 8, first_eight(n - 8), x.b);
}
inline Vec set(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
inline Vec zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }

inline Vec operator+(Vec x, Vec y) { return {_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b)}; }
inline Vec operator-(Vec x, Vec y) { return {_mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b)}; }
inline Vec operator*(Vec x, Vec y) { return {_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b)}; }
inline Vec operator/(Vec x, Vec y) { return {_mm256_div_ps(x.a, y.a), _mm256_div_ps(x.b, y.b)}; }
inline Vec operator-(Vec x) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_xor_ps(x.a, sign), _mm256_xor_ps(x.b, sign)};
}
inline Vec fma(Vec x, Vec y, Vec z) {
  return {_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
}
inline Vec sqrt(Vec x) { return {_mm256_sqrt_ps(x.a), _mm256_sqrt_ps(x.b)}; }
inline Vec abs(Vec x) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_andnot_ps(sign, x.a), _mm256_andnot_ps(sign, x.b)};
}
inline Vec max(Vec x, Vec y) { return {_mm256_max_ps(x.a, y.a), _mm256_max_ps(x.b, y.b)}; }
inline Vec min(Vec x, Vec y) { return {_mm256_min_ps(x.a, y.a), _mm256_min_ps(x.b, y.b)}; }
inline Vec round(Vec x) {
  return {_mm256_round_ps(x.a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
          _mm256_round_ps(x.b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}

inline LaneMask less(Vec x, Vec y) {
  return {_mm256_cmp_ps(x.a, y.a, _CMP_LT_OQ), _mm256_cmp_ps(x.b, y.b, _CMP_LT_OQ)};
}
inline LaneMask less_equal(Vec x, Vec y) {
  return {_mm256_cmp_ps(x.a, y.a, _CMP_LE_OQ), _mm256_cmp_ps(x.b, y.b, _CMP_LE_OQ)};
}
inline LaneMask equal(Vec x, Vec y) {
  return {_mm256_cmp_ps(x.a, y.a, _CMP_EQ_OQ), _mm256_cmp_ps(x.b, y.b, _CMP_EQ_OQ)};
}
inline LaneMask is_nan(Vec x) {
  return {_mm256_cmp_ps(x.a, x.a, _CMP_UNORD_Q), _mm256_cmp_ps(x.b, x.b, _CMP_UNORD_Q)};
}
inline bool all(LaneMask m) { return _mm256_movemask_ps(_mm256_and_ps(m.a, m.b)) == 0xFF; }
inline Vec select(LaneMask m, Vec x, Vec y) {
  return {_mm256_blendv_ps(y.a, x.a, m.a), _mm256_blendv_ps(y.b, x.b, m.b)};
}

inline VecI bits(Vec x) { return {_mm256_castps_si256(x.a), _mm256_castps_si256(x.b)}; }
inline Vec from_bits(VecI x) { return {_mm256_castsi256_ps(x.a), _mm256_castsi256_ps(x.b)}; }
inline VecI to_int(Vec x) { return {_mm256_cvtps_epi32(x.a), _mm256_cvtps_epi32(x.b)}; }
inline Vec to_float(VecI x) { return {_mm256_cvtepi32_ps(x.a), _mm256_cvtepi32_ps(x.b)}; }
inline VecI set_int(int x) { return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }
inline VecI load_int(const void* p) {
  const auto* q = static_cast<const __m256i*>(p);
  return {_mm256_loadu_si256(q), _mm256_loadu_si256(q + 1)};
}
inline void store_int(void* p, VecI x) {
  auto* q = static_cast<__m256i*>(p);
  _mm256_storeu_si256(q, x.a);
  _mm256_storeu_si256(q + 1, x.b);
}
inline VecI operator+(VecI x, VecI y) { return {_mm256_add_epi32(x.a, y.a), _mm256_add_epi32(x.b, y.b)}; }
inline VecI operator-(VecI x, VecI y) { return {_mm256_sub_epi32(x.a, y.a), _mm256_sub_epi32(x.b, y.b)}; }
inline VecI operator&(VecI x, VecI y) { return {_mm256_and_si256(x.a, y.a), _mm256_and_si256(x.b, y.b)}; }
inline VecI operator|(VecI x, VecI y) { return {_mm256_or_si256(x.a, y.a), _mm256_or_si256(x.b, y.b)}; }
inline VecI operator^(VecI x, VecI y) { return {_mm256_xor_si256(x.a, y.a), _mm256_xor_si256(x.b, y.b)}; }
template <int n>
inline VecI shift_left(VecI x) {
  return {_mm256_slli_epi32(x.a, n), _mm256_slli_epi32(x.b, n)};
}
template <int n>
inline VecI shift_right(VecI x) {
  return {_mm256_srli_epi32(x.a, n), _mm256_srli_epi32(x.b, n)};
}
template <int n>
inline VecI shift_right_signed(VecI x) {
  return {_mm256_srai_epi32(x.a, n), _mm256_srai_epi32(x.b, n)};
}

inline LaneMask less(VecI x, VecI y) {
  return {_mm256_castsi256_ps(_mm256_cmpgt_epi32(y.a, x.a)),
          _mm256_castsi256_ps(_mm256_cmpgt_epi32(y.b, x.b))};
}
inline VecI operator*(VecI x, VecI y) { return {_mm256_mullo_epi32(x.a, y.a), _mm256_mullo_epi32(x.b, y.b)}; }
inline __m256i multiply_high_eight(__m256i x, __m256i y) {
  const __m256i even = _mm256_srli_epi64(_mm256_mul_epu32(x, y), 32);
  const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), _mm256_srli_epi64(y, 32));
  return _mm256_blend_epi32(even, odd, 0xAA);
}
inline VecI multiply_high(VecI x, VecI y) {
  return {multiply_high_eight(x.a, y.a), multiply_high_eight(x.b, y.b)};
}
inline void interleave_eight(__m256i a, __m256i b, __m256i c, __m256i d, VecI& first, VecI& second) {
  const __m256i ac_low = _mm256_unpacklo_epi32(a, c), ac_high = _mm256_unpackhi_epi32(a, c);
  const __m256i bd_low = _mm256_unpacklo_epi32(b, d), bd_high = _mm256_unpackhi_epi32(b, d);
  const __m256i q0 = _mm256_unpacklo_epi32(ac_low, bd_low), q1 = _mm256_unpackhi_epi32(ac_low, bd_low);
  const __m256i q2 = _mm256_unpacklo_epi32(ac_high, bd_high), q3 = _mm256_unpackhi_epi32(ac_high, bd_high);
  first = {_mm256_permute2x128_si256(q0, q1, 0x20), _mm256_permute2x128_si256(q2, q3, 0x20)};
  second = {_mm256_permute2x128_si256(q0, q1, 0x31), _mm256_permute2x128_si256(q2, q3, 0x31)};
}
inline void interleave(VecI& a, VecI& b, VecI& c, VecI& d) {
  VecI out[4];
  interleave_eight(a.a, b.a, c.a, d.a, out[0], out[1]);
  interleave_eight(a.b, b.b, c.b, d.b, out[2], out[3]);
  a = out[0], b = out[1], c = out[2], d = out[3];
}

inline float reduce_add(Vec x) {
  const __m256 eight = _mm256_add_ps(x.a, x.b);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
inline float reduce_max(Vec x) {
  const __m256 eight = _mm256_max_ps(x.a, x.b);
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

struct Quad {
  __m256i value, size;
};
inline Quad broadcast_quad(const void* p) {
  int bytes;
  __builtin_memcpy(&bytes, p, sizeof bytes);
  const __m256i value = _mm256_set1_epi32(bytes);
  return {value, _mm256_abs_epi8(value)};
}
inline VecI begin_dot(int) { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
// The first factor of vpmaddubsw has no sign, so that of q goes to x. Two products are at most 2 * 127 * 127, less than
// where it saturates.
inline __m256i dot_eight(__m256i sum, __m256i x, Quad q) {
  const __m256i pairs = _mm256_maddubs_epi16(q.size, _mm256_sign_epi8(x, q.value));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
inline VecI dot(VecI sum, VecI x, Quad q) { return {dot_eight(sum.a, x.a, q), dot_eight(sum.b, x.b, q)}; }
inline VecI load_halves(const unsigned short* p) {
  const auto* q = reinterpret_cast<const __m128i*>(p);
  return {_mm256_cvtepu16_epi32(_mm_loadu_si128(q)), _mm256_cvtepu16_epi32(_mm_loadu_si128(q + 1))};
}
inline void store_halves(unsigned short* p, VecI x) {
  const __m256i lower = _mm256_set1_epi32(0xFFFF);
  const __m256i words = _mm256_packus_epi32(_mm256_and_si256(x.a, lower), _mm256_and_si256(x.b, lower));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_permute4x64_epi64(words, 0xD8));
}
inline VecI load_first_halves(const unsigned short* p, long n) {
  if (n >= 16) return load_halves(p);
  unsigned short some[16] = {};
  for (long i = 0; i < n; ++i) some[i] = p[i];
  return load_halves(some);
}
inline void store_first_halves(unsigned short* p, VecI x, long n) {
  if (n >= 16) return store_halves(p, x);
  unsigned short all[16];
  store_halves(all, x);
  for (long i = 0; i < n; ++i) p[i] = all[i];
}
inline void store_bytes(void* p, VecI x) {
  const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(x.a, x.b), 0xD8);
  const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  _mm_storeu_si128(static_cast<__m128i*>(p), bytes);
}

}  // namespace
}  // namespace weft::isa
