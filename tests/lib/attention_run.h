// One problem for the attention kernels, with data that repeat and every result.
#pragma once

#include <doctest/doctest.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/fused/attention.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "lib/naive.h"

namespace weft::attention_run {

using kernels::AttentionProblem;
using kernels::HeadView;

inline constexpr float infinity = std::numeric_limits<float>::infinity();

inline std::vector<float> numbers(int64_t count, unsigned seed) {
  const Array x = naive::random({count}, float32, seed);
  return {x.values<float>().begin(), x.values<float>().end()};
}

struct Options {
  bool causal = false, lengths = false, allowed = false, bias = false, shared = false;
  int64_t offset = 0;
  bool interleaved = false;  ///< (B, T, H * D) instead of (B, H, T, D)
  int64_t window = 0;
  bool offsets = false;  ///< one a sample, from `offset` on
  bool slopes = false;
};

/// One problem with its data and all results of the kernels.
struct Run {
  AttentionProblem x;
  Options options;
  std::vector<float> q, k, v, bias, d_out;
  std::vector<int64_t> lengths, offsets;
  std::vector<float> slopes;
  std::unique_ptr<bool[]> allowed;
  std::vector<float> kept;  ///< (B, H, T, S): 0 or 1 / (1 - p); empty without dropout
  std::vector<float> out, lse, dq, dk, dv, d_bias, weights;

  Run(int64_t B, int64_t H, int64_t T, int64_t S, int64_t D, const Options& o) : options(o) {
    x = {.B = B,
         .H = H,
         .T = T,
         .S = S,
         .D = D,
         .scale = 1.7 / std::sqrt(static_cast<double>(D)),
         .causal = o.causal,
         .causal_offset = o.offset};
    q = numbers(B * H * T * D, 1), k = numbers(B * H * S * D, 2), v = numbers(B * H * S * D, 3);
    d_out = numbers(B * H * T * D, 4);
    const int64_t slices = o.shared ? 1 : B * H;
    x.window = o.window;
    for (int64_t b = 0; o.offsets && b < B; ++b) offsets.push_back(o.offset + 9 * b);
    if (o.offsets) x.causal_offsets = offsets.data();
    for (int64_t h = 0; o.slopes && h < H; ++h) slopes.push_back(0.25f / static_cast<float>(h + 1));
    if (o.slopes) x.slopes = slopes.data();
    if (o.lengths) {
      for (int64_t b = 0; b < B; ++b) lengths.push_back(b % 3 == 2 ? 0 : S - b * S / 3);
      x.key_lengths = lengths.data();
    }
    if (o.allowed) {
      allowed = std::make_unique<bool[]>(static_cast<size_t>(slices * T * S));
      const std::vector<float> draw = numbers(slices * T * S, 5);
      for (size_t i = 0; i < draw.size(); ++i)
        allowed[i] = draw[i] < 0.5f &&
                     static_cast<int64_t>(i) / S % 7 != 3;  // every seventh query may attend to nothing
      x.allowed = allowed.get();
      if (!o.shared) x.allowed_batch = H * T * S, x.allowed_head = T * S;
    }
    if (o.bias) {
      bias = numbers(slices * T * S, 6);
      for (size_t i = 0; i < bias.size(); i += 11) bias[i] = -infinity;
      x.bias = bias.data();
      if (!o.shared) x.bias_batch = H * T * S, x.bias_head = T * S;
    }
  }

  template <class T>
  HeadView<T> view(T* data, int64_t tokens) const {
    if (options.interleaved) return {data, tokens * x.H * x.D, x.D, x.H * x.D};
    return {data, x.H * tokens * x.D, tokens * x.D, x.D};
  }
  HeadView<const float> read(const std::vector<float>& data, int64_t tokens) const {
    return view(data.data(), tokens);
  }

  void forward() {
    const size_t rows = static_cast<size_t>(x.B * x.H * x.T);
    out.assign(q.size(), 7.0f), lse.assign(rows, 7.0f);
    kernels::attention(x, read(q, x.T), read(k, x.S), read(v, x.S), view(out.data(), x.T), lse.data());
  }
  void backward() {
    dq.assign(q.size(), 7.0f), dk.assign(k.size(), 7.0f), dv.assign(v.size(), 7.0f),
        d_bias.assign(bias.size(), 0.25f);
    kernels::attention_grad(x, read(q, x.T), read(k, x.S), read(v, x.S), read(out, x.T), lse.data(),
                            read(d_out, x.T), view(dq.data(), x.T), view(dk.data(), x.S),
                            view(dv.data(), x.S), x.bias ? d_bias.data() : nullptr);
  }
  void look() {
    weights.assign(static_cast<size_t>(x.B * x.H * x.T * x.S), 7.0f);
    kernels::attention_weights(x, read(q, x.T), read(k, x.S), lse.data(), weights.data());
  }

  /// Drops weights as kernels::dropout would.
  void drop(double p) {
    const int64_t places = (x.S + 63) / 64 * 64;
    x.dropout = p, x.dropout_key = random_key(5, 6), x.first_sample = 2;
    const Array ones = Array::ones({x.B, x.H, x.T, places});
    const Array factors = kernels::dropout(ones, p, x.dropout_key, x.first_sample);
    for (int64_t i = 0; i < x.B * x.H * x.T; ++i)
      for (int64_t s = 0; s < x.S; ++s) kept.push_back(factors.data<float>()[i * places + s]);
  }

  int64_t place(int64_t b, int64_t t) const {
    return t + (offsets.empty() ? x.causal_offset : offsets[static_cast<size_t>(b)]);
  }
  bool may(int64_t b, int64_t h, int64_t t, int64_t s) const {
    if (x.causal && s > place(b, t)) return false;
    if (x.window > 0 && s <= place(b, t) - x.window) return false;
    if (x.key_lengths && s >= lengths[static_cast<size_t>(b)]) return false;
    return !x.allowed || x.allowed[b * x.allowed_batch + h * x.allowed_head + t * x.S + s];
  }
};

inline double worst(const std::vector<float>& got, const std::vector<double>& wanted) {
  REQUIRE(got.size() == wanted.size());
  double most = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double value = static_cast<double>(got[i]);
    if (std::isinf(wanted[i]) && value == wanted[i]) continue;
    most = std::max(most, std::isfinite(value) ? std::abs(value - wanted[i]) : 1e30);
  }
  return most;
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

}  // namespace weft::attention_run
