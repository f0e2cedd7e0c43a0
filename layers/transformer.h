// Encoder and decoder blocks (Vaswani et al. 2017, figure 1), post-norm as published or pre-norm (Xiong et
// al. 2020).
#pragma once

#include <weft/layers/drop_path.h>
#include <weft/layers/feed_forward.h>
#include <weft/layers/multi_head_attention.h>
#include <weft/layers/norm.h>

namespace weft {

/// Where the norm stands around a sublayer f:  post: norm(x + f(x));  pre: x + f(norm(x)).
enum class NormPlacement { pre, post };

struct BlockOptions {
  NormPlacement norm = NormPlacement::pre;
  double dropout = 0.0;    ///< of each sublayer's result; of the weights and the hidden layer see below
  double drop_path = 0.0;  ///< of each sublayer as a whole, by sample
  LayerNormOptions layer_norm{};
  std::optional<RMSNormOptions> rms_norm{};  ///< instead of layer norm
  MultiHeadAttentionOptions attention{};
  /// Of the attention to the encoder's output, in a decoder; without it, the same without positions: neither
  /// rotary, nor ALiBi, nor a window.
  std::optional<MultiHeadAttentionOptions> cross_attention{};
  FeedForwardOptions feed_forward{};
};

/// norm1, attention, norm2, feed_forward, dropout, drop_path. With a causal mask, a block of GPT; without, of
/// BERT. A `bias` is that of attention.
class EncoderBlock : public Module {
 public:
  EncoderBlock(int64_t width, int64_t heads, const BlockOptions& options = {});
  /// (B, T, C) -> (B, T, C).
  Tensor forward(const Tensor& x, const Mask& mask = {}, const Tensor& bias = {}) const;
  Tensor operator()(const Tensor& x, const Mask& mask = {}, const Tensor& bias = {}) const {
    return forward(x, mask, bias);
  }
  /// Decoding with a cache: causal, without gradient; of row b the first lengths[b] tokens count (empty:
  /// all).
  Tensor forward(const Tensor& x, KeyValueCache& cache, std::span<const int64_t> lengths = {},
                 const Tensor& bias = {}) const;

  Norm& norm1;
  MultiHeadAttention& attention;
  Norm& norm2;
  FeedForward& feed_forward;
  Dropout& dropout;
  DropPath& drop_path;
  const NormPlacement placement;

 private:
  template <class Attend>
  Tensor through(const Tensor& x, const Attend& attend) const;
};

/// norm1, attention (causal), norm2, cross_attention to the encoder's output, norm3, feed_forward, dropout,
/// drop_path.
class DecoderBlock : public Module {
 public:
  DecoderBlock(int64_t width, int64_t heads, const BlockOptions& options = {});
  /// x (B, T, C), memory (B, S, C) -> (B, T, C). `memory_mask` tells which tokens of memory count; `bias` is
  /// that of attention to oneself.
  Tensor forward(const Tensor& x, const Tensor& memory, const Mask& mask = Mask::causal(),
                 const Mask& memory_mask = {}, const Tensor& bias = {}) const;
  Tensor operator()(const Tensor& x, const Tensor& memory, const Mask& mask = Mask::causal(),
                    const Mask& memory_mask = {}, const Tensor& bias = {}) const {
    return forward(x, memory, mask, memory_mask, bias);
  }
  /// Decoding with a cache, and what cross_attention.remember() gives for a memory.
  Tensor forward(const Tensor& x, KeyValueCache& cache, const KeyValueCache& memory,
                 std::span<const int64_t> lengths = {}, const Tensor& bias = {}) const;

  Norm& norm1;
  MultiHeadAttention& attention;
  Norm& norm2;
  MultiHeadAttention& cross_attention;
  Norm& norm3;
  FeedForward& feed_forward;
  Dropout& dropout;
  DropPath& drop_path;
  const NormPlacement placement;

 private:
  template <class Attend, class AttendMemory>
  Tensor through(const Tensor& x, const Attend& attend, const AttendMemory& attend_memory) const;
};

}  // namespace weft
