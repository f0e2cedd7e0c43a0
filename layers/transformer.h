// Encoder and decoder blocks (Vaswani et al. 2017, figure 1), post-norm as published or pre-norm (Xiong et
// al. 2020).
#pragma once

#include <weft/layers/feed_forward.h>
#include <weft/layers/layer_norm.h>
#include <weft/layers/multi_head_attention.h>

namespace weft {

/// Where the norm stands around a sublayer f:  post: norm(x + f(x));  pre: x + f(norm(x)).
enum class NormPlacement { pre, post };

struct BlockOptions {
  NormPlacement norm = NormPlacement::pre;
  double dropout = 0.0;  ///< of each sublayer's result; of the weights and the hidden layer see below
  LayerNormOptions layer_norm{};
  MultiHeadAttentionOptions attention{};
  FeedForwardOptions feed_forward{};
};

/// norm1, attention, norm2, feed_forward, dropout. With a causal mask, a block of GPT; without, of BERT.
class EncoderBlock : public Module {
 public:
  EncoderBlock(int64_t width, int64_t heads, const BlockOptions& options = {});
  /// (B, T, C) -> (B, T, C).
  Tensor forward(const Tensor& x, const Mask& mask = {}) const;
  Tensor operator()(const Tensor& x, const Mask& mask = {}) const { return forward(x, mask); }
  /// Decoding with a cache: causal, without gradient; of row b the first lengths[b] tokens count (empty:
  /// all).
  Tensor forward(const Tensor& x, KeyValueCache& cache, std::span<const int64_t> lengths = {}) const;

  LayerNorm& norm1;
  MultiHeadAttention& attention;
  LayerNorm& norm2;
  FeedForward& feed_forward;
  Dropout& dropout;
  const NormPlacement placement;
};

/// norm1, attention (causal), norm2, cross_attention to the encoder's output, norm3, feed_forward, dropout.
class DecoderBlock : public Module {
 public:
  DecoderBlock(int64_t width, int64_t heads, const BlockOptions& options = {});
  /// x (B, T, C), memory (B, S, C) -> (B, T, C). `memory_mask` tells which tokens of memory count.
  Tensor forward(const Tensor& x, const Tensor& memory, const Mask& mask = Mask::causal(),
                 const Mask& memory_mask = {}) const;

  LayerNorm& norm1;
  MultiHeadAttention& attention;
  LayerNorm& norm2;
  MultiHeadAttention& cross_attention;
  LayerNorm& norm3;
  FeedForward& feed_forward;
  Dropout& dropout;
  const NormPlacement placement;
};

}  // namespace weft
