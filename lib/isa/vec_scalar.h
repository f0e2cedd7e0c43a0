// Sixteen lanes as plain loops, for processors with neither AVX2 nor AVX-512. See vector.h for what each
// operation means.
#pragma once

namespace weft::isa {
namespace {

struct Vec {
  float v[16];
};
struct VecI {
  int v[16];
};
struct LaneMask {
  bool v[16];
};

template <class Out, class F>
inline Out each_lane(F f) {
  Out out;
  for (int i = 0; i < 16; ++i) out.v[i] = f(i);
  return out;
}

inline Vec load(const float* p) {
  return each_lane<Vec>([=](int i) { return p[i]; });
}
inline void store(float* p, Vec x) {
  for (int i = 0; i < 16; ++i) p[i] = x.v[i];
}
inline void store_half(float* p, Vec x) {
  for (int i = 0; i < 8; ++i) p[i] = x.v[i];
}
inline void stream(float* p, Vec x) { store(p, x); }
inline void end_streams() {}
inline Vec load_first(const float* p, long n) {
  if (n >= 16) return load(p);
  return each_lane<Vec>([=](int i) { return i < n ? p[i] : 0.0f; });
}
inline void store_first(float* p, Vec x, long n) {
  if (n >= 16) return store(p, x);
  for (int i = 0; i < 16 && i < n; ++i) p[i] = x.v[i];
}
inline Vec set(float x) {
  return each_lane<Vec>([=](int) { return x; });
}
inline Vec zero() { return set(0.0f); }

inline VecI bits(Vec x) {
  return each_lane<VecI>([&](int i) { return __builtin_bit_cast(int, x.v[i]); });
}
inline Vec from_bits(VecI x) {
  return each_lane<Vec>([&](int i) { return __builtin_bit_cast(float, x.v[i]); });
}

inline Vec operator+(Vec x, Vec y) {
  return each_lane<Vec>([&](int i) { return x.v[i] + y.v[i]; });
}
inline Vec operator-(Vec x, Vec y) {
  return each_lane<Vec>([&](int i) { return x.v[i] - y.v[i]; });
}
inline Vec operator*(Vec x, Vec y) {
  return each_lane<Vec>([&](int i) { return x.v[i] * y.v[i]; });
}
inline Vec operator/(Vec x, Vec y) {
  return each_lane<Vec>([&](int i) { return x.v[i] / y.v[i]; });
}
inline Vec operator-(Vec x) {
  return each_lane<Vec>([&](int i) { return -x.v[i]; });
}
inline Vec fma(Vec x, Vec y, Vec z) {
  return each_lane<Vec>([&](int i) { return __builtin_fmaf(x.v[i], y.v[i], z.v[i]); });
}
inline Vec sqrt(Vec x) {
  return each_lane<Vec>([&](int i) { return __builtin_sqrtf(x.v[i]); });
}
inline Vec abs(Vec x) {
  return each_lane<Vec>([&](int i) { return __builtin_fabsf(x.v[i]); });
}
inline Vec max(Vec x, Vec y) {
  return each_lane<Vec>([&](int i) { return x.v[i] > y.v[i] ? x.v[i] : y.v[i]; });
}
inline Vec min(Vec x, Vec y) {
  return each_lane<Vec>([&](int i) { return x.v[i] < y.v[i] ? x.v[i] : y.v[i]; });
}
inline float round_lane(float x) {
  const float large =
      8388608.0f;  // 2^23: from here on every float is whole, and adding it rounds to whole numbers
  const float size = __builtin_fabsf(x);
  return size < large ? __builtin_copysignf((size + large) - large, x) : x;
}
inline Vec round(Vec x) {
  return each_lane<Vec>([&](int i) { return round_lane(x.v[i]); });
}

inline LaneMask less(Vec x, Vec y) {
  return each_lane<LaneMask>([&](int i) { return x.v[i] < y.v[i]; });
}
inline LaneMask less_equal(Vec x, Vec y) {
  return each_lane<LaneMask>([&](int i) { return x.v[i] <= y.v[i]; });
}
inline LaneMask equal(Vec x, Vec y) {
  return each_lane<LaneMask>([&](int i) { return x.v[i] == y.v[i]; });
}
inline LaneMask is_nan(Vec x) {
  return each_lane<LaneMask>([&](int i) { return x.v[i] != x.v[i]; });
}
inline bool all(LaneMask m) {
  bool each = true;
  for (int i = 0; i < 16; ++i) each = each && m.v[i];
  return each;
}
inline Vec select(LaneMask m, Vec x, Vec y) {
  return each_lane<Vec>([&](int i) { return m.v[i] ? x.v[i] : y.v[i]; });
}

inline int to_int_lane(float x) {
  return x >= -2147483648.0f && x < 2147483648.0f ? static_cast<int>(round_lane(x)) : -2147483647 - 1;
}
inline VecI to_int(Vec x) {
  return each_lane<VecI>([&](int i) { return to_int_lane(x.v[i]); });
}
inline Vec to_float(VecI x) {
  return each_lane<Vec>([&](int i) { return static_cast<float>(x.v[i]); });
}
inline VecI set_int(int x) {
  return each_lane<VecI>([=](int) { return x; });
}
inline VecI load_int(const void* p) {
  VecI x;
  __builtin_memcpy(&x, p, sizeof x);
  return x;
}
inline void store_int(void* p, VecI x) { __builtin_memcpy(p, &x, sizeof x); }
// Through unsigned, which wraps as the vector instructions do.
inline VecI operator+(VecI x, VecI y) {
  return each_lane<VecI>(
      [&](int i) { return static_cast<int>(static_cast<unsigned>(x.v[i]) + static_cast<unsigned>(y.v[i])); });
}
inline VecI operator-(VecI x, VecI y) {
  return each_lane<VecI>(
      [&](int i) { return static_cast<int>(static_cast<unsigned>(x.v[i]) - static_cast<unsigned>(y.v[i])); });
}
inline VecI operator&(VecI x, VecI y) {
  return each_lane<VecI>([&](int i) { return x.v[i] & y.v[i]; });
}
inline VecI operator|(VecI x, VecI y) {
  return each_lane<VecI>([&](int i) { return x.v[i] | y.v[i]; });
}
inline VecI operator^(VecI x, VecI y) {
  return each_lane<VecI>([&](int i) { return x.v[i] ^ y.v[i]; });
}
template <int n>
inline VecI shift_left(VecI x) {
  return each_lane<VecI>([&](int i) { return static_cast<int>(static_cast<unsigned>(x.v[i]) << n); });
}
template <int n>
inline VecI shift_right(VecI x) {
  return each_lane<VecI>([&](int i) { return static_cast<int>(static_cast<unsigned>(x.v[i]) >> n); });
}
template <int n>
inline VecI shift_right_signed(VecI x) {
  return each_lane<VecI>([&](int i) { return x.v[i] >> n; });
}

inline LaneMask less(VecI x, VecI y) {
  return each_lane<LaneMask>([&](int i) { return x.v[i] < y.v[i]; });
}
inline VecI multiply_high(VecI x, VecI y) {
  return each_lane<VecI>([&](int i) {
    return static_cast<int>(
        (static_cast<unsigned long>(static_cast<unsigned>(x.v[i])) * static_cast<unsigned>(y.v[i])) >> 32);
  });
}
inline VecI operator*(VecI x, VecI y) {
  return each_lane<VecI>(
      [&](int i) { return static_cast<int>(static_cast<unsigned>(x.v[i]) * static_cast<unsigned>(y.v[i])); });
}
inline void interleave(VecI& a, VecI& b, VecI& c, VecI& d) {
  const VecI in[4] = {a, b, c, d};
  VecI out[4];
  for (int i = 0; i < 64; ++i) out[i / 16].v[i % 16] = in[i % 4].v[i / 4];
  a = out[0], b = out[1], c = out[2], d = out[3];
}

inline float reduce_add(Vec x) {
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) x.v[i] = x.v[i] + x.v[i + half];
  return x.v[0];
}
inline float reduce_max(Vec x) {
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) x.v[i] = x.v[i] > x.v[i + half] ? x.v[i] : x.v[i + half];
  return x.v[0];
}

struct Quad {
  signed char v[4];
};
inline Quad broadcast_quad(const void* p) {
  Quad q;
  __builtin_memcpy(&q, p, sizeof q);
  return q;
}
inline VecI begin_dot(int) { return set_int(0); }
inline VecI dot(VecI sum, VecI x, Quad q) {
  signed char bytes[64];
  __builtin_memcpy(bytes, &x, sizeof bytes);
  return each_lane<VecI>([&](int i) {
    const signed char* const four = bytes + 4 * i;
    return sum.v[i] + (four[0] * q.v[0] + four[1] * q.v[1]) + (four[2] * q.v[2] + four[3] * q.v[3]);
  });
}
inline VecI load_first_halves(const unsigned short* p, long n) {
  return each_lane<VecI>([=](int i) { return i < n ? static_cast<int>(p[i]) : 0; });
}
inline VecI load_halves(const unsigned short* p) { return load_first_halves(p, 16); }
inline void store_first_halves(unsigned short* p, VecI x, long n) {
  for (int i = 0; i < 16 && i < n; ++i) p[i] = static_cast<unsigned short>(x.v[i]);
}
inline void store_halves(unsigned short* p, VecI x) { store_first_halves(p, x, 16); }
inline void store_bytes(void* p, VecI x) {
  for (int i = 0; i < 16; ++i) static_cast<signed char*>(p)[i] = static_cast<signed char>(x.v[i]);
}

}  // namespace
}  // namespace weft::isa
