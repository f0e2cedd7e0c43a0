// Multi-head attention (Vaswani et al. 2017, section 3.2.2), over oneself or over another sequence.
#pragma once

#include <weft/layers/linear.h>
#include <weft/layers/norm.h>
#include <weft/lib/array/mask.h>

#include <optional>
#include <span>

namespace weft {

struct MultiHeadAttentionOptions {
  /// Heads of keys and values, a divisor of `heads`: each serves heads / kv_heads heads of queries, as in
  /// grouped-query (Ainslie et al. 2023) and, with 1, multi-query attention (Shazeer 2019). 0: all heads.
  int64_t kv_heads = 0;
  int64_t head_width = 0;  ///< D; 0: C / H
  bool bias = true;
  double dropout = 0.0;           ///< of the attention weights, in training
  std::optional<double> scale{};  ///< of the scores; default 1 / sqrt(D)
  std::optional<RotaryFrequencies>
      rotary{};  ///< base of the rotary positions of queries and keys (rotary.h): 10000
  /// RMS norm of each head of queries and keys, with weights (D) that all heads share, before rotary positions (Henry et
  /// al. 2020; this form is Qwen3's).
  std::optional<RMSNormOptions> qk_norm{};
  /// > 0: forward takes further values (B, S, G D), and
  ///   values of head g = value(x) + 2 sigmoid(value_gate(x[..., :value_gate])) values
  /// with one gate a head of values, a Linear (value_gate -> G) without bias that begins as zeros, and so with a factor
  /// of 1: the value embeddings of nanochat (Karpathy 2025), after those of modded-nanoGPT. At most the width of x.
  int64_t value_gate = 0;
  bool alibi = false;                    ///< ALiBi, with alibi_slopes(H)
  int64_t window = 0;                    ///< > 0: as Mask::window, beside the mask of each call
  std::optional<LinearOptions> query{};  ///< default: as `input`
  LinearOptions input{}, output{};  ///< initialisation of query, key and value, and of output; `bias` comes
                                    ///< from above
};

/// Children: query (C -> H D), key and value (C -> G D), G being kv_heads, and output (H D -> C), each
/// Linear; head h owns columns h D to (h + 1) D. By their options query_norm, key_norm (RMSNorm) and value_gate.
///
/// A `bias` of a call, undefined for none, is added to the scaled scores and broadcasts to (B, H, T, S).
class MultiHeadAttention : public Layer<MultiHeadAttention> {
 public:
  /// ValueError when heads do not divide the width and no head_width is given, when kv_heads do not divide
  /// the heads, or an option is out of range.
  MultiHeadAttention(int64_t width, int64_t heads, const MultiHeadAttentionOptions& options = {});

  /// x (B, T, C) attends to itself. In documents of a mask (Mask::documents) places count from where each begins.
  Tensor forward(const Tensor& x, const Mask& mask = {}, const Tensor& bias = {},
                 const Tensor& values = {}) const {
    return forward(x, x, mask, bias, values);
  }
  /// x (B, T, C) attends to context (B, S, C).
  Tensor forward(const Tensor& x, const Tensor& context, const Mask& mask = {}, const Tensor& bias = {},
                 const Tensor& values = {}) const;
  /// Decoding: the keys and values of the first lengths[b] tokens of each row (empty: all) join the cache,
  /// and x attends causally to all of it. The bits are those of the full causal pass. No gradient.
  Tensor forward(const Tensor& x, KeyValueCache& cache, std::span<const int64_t> lengths = {},
                 const Tensor& bias = {}, const Tensor& values = {}) const;
  /// The keys and values of a context (B, S, C), of which lengths[b] tokens of each row count (empty: all).
  KeyValueCache remember(const Tensor& context, std::span<const int64_t> lengths = {}) const;
  /// x attends to a context that was read once: forward(x, context, Mask::lengths(lengths)), bit for bit. No
  /// gradient.
  Tensor forward_memory(const Tensor& x, const KeyValueCache& memory) const;
  /// The weights (B, H, T, S) that forward(x, context, mask, bias) uses, for looking at.
  Array weights(const Tensor& x, const Tensor& context, const Mask& mask = {}, const Tensor& bias = {}) const;

  const int64_t heads, kv_heads, head_width;
  Linear &query, &key, &value, &output;
  RMSNorm *const query_norm, *const key_norm;  ///< null unless options.qk_norm
  Linear* const value_gate;                    ///< null unless options.value_gate
  const MultiHeadAttentionOptions options;

 private:
  AttentionOptions attention_options(const Mask& mask, const Tensor& bias) const;
  Tensor normed(const Tensor& x, int64_t x_heads, const RMSNorm* norm) const;
  /// made + gate(x) values; ShapeError unless values are given where, and as, the options say.
  Tensor gated(const Tensor& made, const Tensor& x, const Tensor& values) const;
  /// `places` may be undefined: from 0 on.
  Tensor apply_rotary(const Tensor& x, int64_t x_heads, const Array& places = {}) const;

  const std::vector<double> slopes_;
};

/// PyTorch's name.
using MultiheadAttention = MultiHeadAttention;

}  // namespace weft
