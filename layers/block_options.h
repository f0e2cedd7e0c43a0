// What the blocks of a transformer (transformer.h) are made of, and how they use it.
#pragma once

#include <weft/layers/drop_path.h>
#include <weft/layers/feed_forward.h>
#include <weft/layers/multi_head_attention.h>
#include <weft/layers/norm.h>

#include <concepts>

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

namespace detail {

NormOptions norm_options(const BlockOptions& options);
MultiHeadAttentionOptions cross_options(const BlockOptions& options);

/// One residual branch, with the norm where the placement puts it.
template <class Block, class Sublayer>
Tensor residual(const Block& block, const Tensor& x, const Norm& norm, const Sublayer& sublayer) {
  const auto branch = [&](const Tensor& t) { return block.drop_path(block.dropout(sublayer(t))); };
  if (block.placement == NormPlacement::pre) return x + branch(norm(x));
  return norm(x + branch(x));
}

/// Attention to oneself, with as much of (mask, bias, values) as it takes.
template <class Attention>
Tensor attend(const Attention& attention, const Tensor& x, const Mask& mask, const Tensor& bias,
              const Tensor& values = {}) {
  if constexpr (CallableWith<const Attention, const Tensor&, const Mask&, const Tensor&, const Tensor&>) {
    if (values.defined()) return call_module(attention, x, mask, bias, values);
  } else {
    if (values.defined())
      fail<ValueError>("block: its attention takes no values: forward(x, mask, bias, values)");
  }
  if constexpr (CallableWith<const Attention, const Tensor&, const Mask&, const Tensor&>) {
    return call_module(attention, x, mask, bias);
  } else {
    if (bias.defined()) fail<ValueError>("block: its attention takes no bias: forward(x, mask, bias)");
    if constexpr (CallableWith<const Attention, const Tensor&, const Mask&>) {
      return call_module(attention, x, mask);
    } else {
      if (!mask.empty()) fail<ValueError>("block: its attention takes no mask: forward(x, mask)");
      return call_module(attention, x);
    }
  }
}

/// M of a block, from what it can be built from: of (width, heads, options) as much as its constructor takes.
template <class M>
struct BuiltFrom {
  template <class Make, class Options>
  static M& attention(const Make& make, int64_t width, int64_t heads, const Options& options) {
    if constexpr (std::constructible_from<M, int64_t, int64_t, const Options&>) {
      return make(width, heads, options);
    } else {
      return make(width, heads);
    }
  }
  template <class Make, class Options>
  static M& feed_forward(const Make& make, int64_t width, const Options& options) {
    if constexpr (std::constructible_from<M, int64_t, const Options&>) {
      return make(width, options);
    } else {
      return make(width);
    }
  }
};

}  // namespace detail

}  // namespace weft
