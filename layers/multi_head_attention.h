// Multi-head attention (Vaswani et al. 2017, section 3.2.2), over oneself or over another sequence.
#pragma once

#include <weft/layers/linear.h>
#include <weft/lib/mask.h>

#include <span>

namespace weft {

struct MultiHeadAttentionOptions {
  /// Heads of keys and values, a divisor of `heads`: each serves heads / kv_heads heads of queries, as in
  /// grouped-query (Ainslie et al. 2023) and, with 1, multi-query attention (Shazeer 2019). 0: all heads.
  int64_t kv_heads = 0;
  bool bias = true;
  double dropout = 0.0;  ///< of the attention weights, in training
  LinearOptions input{},
      output{};  ///< initialisation of query, key and value, and of output; `bias` comes from above
};

/// Children: query and output, each Linear (C -> C), key and value (C -> G D), G being kv_heads; head h owns
/// columns h D to (h + 1) D.
class MultiHeadAttention : public Module {
 public:
  /// ValueError when heads do not divide the width, or kv_heads not the heads.
  MultiHeadAttention(int64_t width, int64_t heads, const MultiHeadAttentionOptions& options = {});

  /// x (B, T, C) attends to itself.
  Tensor forward(const Tensor& x, const Mask& mask = {}) const { return forward(x, x, mask); }
  /// x (B, T, C) attends to context (B, S, C).
  Tensor forward(const Tensor& x, const Tensor& context, const Mask& mask = {}) const;
  Tensor operator()(const Tensor& x, const Mask& mask = {}) const { return forward(x, x, mask); }
  /// Decoding: the keys and values of the first lengths[b] tokens of each row (empty: all) join the cache,
  /// and x attends causally to all of it. The bits are those of the full causal pass. No gradient.
  Tensor forward(const Tensor& x, KeyValueCache& cache, std::span<const int64_t> lengths = {}) const;
  /// The keys and values of a context (B, S, C), of which lengths[b] tokens of each row count (empty: all).
  KeyValueCache remember(const Tensor& context, std::span<const int64_t> lengths = {}) const;
  /// x attends to a context that was read once: forward(x, context, Mask::lengths(lengths)), bit for bit. No
  /// gradient.
  Tensor forward_memory(const Tensor& x, const KeyValueCache& memory) const;
  /// The weights (B, H, T, S) that forward(x, context, mask) uses, for looking at.
  Array weights(const Tensor& x, const Tensor& context, const Mask& mask = {}) const;

  const int64_t heads, kv_heads;
  Linear &query, &key, &value, &output;
  const double dropout;
};

}  // namespace weft
