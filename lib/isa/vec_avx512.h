// Sixteen lanes as one AVX-512 register. See vector.h for what each operation means.
#pragma once

#include <immintrin.h>

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
inline LaneMask first_lanes(long n) { return static_cast<LaneMask>(n >= 16 ? 0xFFFFu : (1u << n) - 1u); }
inline Vec load_first(const float* p, long n) { return {_mm512_maskz_loadu_ps(first_lanes(n), p)}; }
inline void store_first(float* p, Vec a, long n) { _mm512_mask_storeu_ps(p, first_lanes(n), a.v); }
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

}  // namespace
}  // namespace weft::isa
