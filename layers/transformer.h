// Encoder and decoder blocks (Vaswani et al. 2017, figure 1), post-norm as published or pre-norm (Xiong et
// al. 2020), around the attention and the feed-forward layer that they are given.
//
// Your own attention and feed-forward layer take the places of ours by type:
//
//   struct MyAttention : weft::Layer<MyAttention> {
//     MyAttention(int64_t width, int64_t heads);
//     weft::Tensor forward(const weft::Tensor& x, const weft::Mask& mask) const;   // (B, T, C) -> (B, T, C)
//   };
//   using MyBlock = weft::EncoderBlockOf<MyAttention>;                              // with our FeedForward
//   weft::ModuleList<MyBlock>& blocks;  // child<ModuleList<MyBlock>>("blocks", n_layer, width, heads)
//   for (const MyBlock& block : blocks) x = block(x, weft::Mask::causal());
#pragma once

#include <weft/layers/block_options.h>

namespace weft {

/// norm1, attention, norm2, feed_forward, dropout, drop_path. With a causal mask, a block of GPT; without, of
/// BERT.
///
/// Attention is built from (width, heads, options.attention) or (width, heads), and called with (x, mask,
/// bias), (x, mask) or (x); FeedForward is built from (width, options.feed_forward) or (width), and called
/// with (x). Both keep the shape (B, T, C).
template <class Attention = MultiHeadAttention, class FeedForwardLayer = FeedForward>
class EncoderBlockOf : public Layer<EncoderBlockOf<Attention, FeedForwardLayer>> {
 public:
  EncoderBlockOf(int64_t width, int64_t heads, const BlockOptions& options = {})
      : EncoderBlockOf(
            width, options,
            [&](const auto& make) -> Attention& {
              return detail::BuiltFrom<Attention>::attention(make, width, heads, options.attention);
            },
            [&](const auto& make) -> FeedForwardLayer& {
              return detail::BuiltFrom<FeedForwardLayer>::feed_forward(make, width, options.feed_forward);
            }) {}
  /// With layers that are built from something else: each function is given `make`, and returns make(...)
  /// with the arguments of its layer's constructor.
  ///   child<EncoderBlockOf<Mine>>("block", C, options,
  ///                               [&](const auto& make) -> Mine& { return make(C, 7); },
  ///                               [&](const auto& make) -> FeedForward& { return make(C); });
  template <class MakeAttention, class MakeFeedForward>
  EncoderBlockOf(int64_t width, const BlockOptions& options, const MakeAttention& make_attention,
                 const MakeFeedForward& make_feed_forward)
      : norm1(this->template child<Norm>("norm1", width, detail::norm_options(options))),
        attention(make_attention([this](const auto&... arguments) -> Attention& {
          return this->template child<Attention>("attention", arguments...);
        })),
        norm2(this->template child<Norm>("norm2", width, detail::norm_options(options))),
        feed_forward(make_feed_forward([this](const auto&... arguments) -> FeedForwardLayer& {
          return this->template child<FeedForwardLayer>("feed_forward", arguments...);
        })),
        dropout(this->template child<Dropout>("dropout", options.dropout)),
        drop_path(this->template child<DropPath>("drop_path", options.drop_path)),
        placement(options.norm) {}

  /// x (B, T, C) -> (B, T, C). `bias` and `values` are those of attention. ValueError for a mask, a bias or values
  /// that Attention does not take.
  Tensor forward(const Tensor& x, const Mask& mask = {}, const Tensor& bias = {},
                 const Tensor& values = {}) const {
    return through(x, [&](const Tensor& t) { return detail::attend(attention, t, mask, bias, values); });
  }
  /// Decoding with a cache, x (B, T, C) the next tokens: causal, without gradient; of row b the first
  /// lengths[b] tokens count (empty: all). For attention that has such a forward, too.
  Tensor forward(const Tensor& x, KeyValueCache& cache, std::span<const int64_t> lengths = {},
                 const Tensor& bias = {}, const Tensor& values = {}) const {
    const NoGrad no_grad;
    return through(x, [&](const Tensor& t) {
      if constexpr (detail::CallableWith<const Attention, const Tensor&, KeyValueCache&,
                                         const std::span<const int64_t>&, const Tensor&, const Tensor&>) {
        if (values.defined()) return detail::call_module(attention, t, cache, lengths, bias, values);
      } else if (values.defined()) {
        fail<ValueError>("block: its attention takes no values: forward(x, cache, lengths, bias, values)");
      }
      return detail::call_module(attention, t, cache, lengths, bias);
    });
  }

  Norm& norm1;
  Attention& attention;
  Norm& norm2;
  FeedForwardLayer& feed_forward;
  Dropout& dropout;
  DropPath& drop_path;
  const NormPlacement placement;

 private:
  template <class Attend>
  Tensor through(const Tensor& x, const Attend& attend) const {
    const Tensor y = detail::residual(*this, x, norm1, attend);
    return detail::residual(*this, y, norm2,
                            [&](const Tensor& t) { return detail::call_module(feed_forward, t); });
  }
};

/// norm1, attention (causal), norm2, cross_attention to the encoder's output, norm3, feed_forward, dropout,
/// drop_path.
///
/// Attention and FeedForward as in EncoderBlockOf, but that attention takes a mask at least; CrossAttention
/// is built from (width, heads, options.cross_attention) or (width, heads), and called with (x, memory,
/// memory_mask).
template <class Attention = MultiHeadAttention, class CrossAttention = MultiHeadAttention,
          class FeedForwardLayer = FeedForward>
class DecoderBlockOf : public Layer<DecoderBlockOf<Attention, CrossAttention, FeedForwardLayer>> {
 public:
  DecoderBlockOf(int64_t width, int64_t heads, const BlockOptions& options = {})
      : DecoderBlockOf(
            width, options,
            [&](const auto& make) -> Attention& {
              return detail::BuiltFrom<Attention>::attention(make, width, heads, options.attention);
            },
            [&](const auto& make) -> CrossAttention& {
              return detail::BuiltFrom<CrossAttention>::attention(make, width, heads,
                                                                  detail::cross_options(options));
            },
            [&](const auto& make) -> FeedForwardLayer& {
              return detail::BuiltFrom<FeedForwardLayer>::feed_forward(make, width, options.feed_forward);
            }) {}
  /// With layers that are built from something else, as in EncoderBlockOf.
  template <class MakeAttention, class MakeCrossAttention, class MakeFeedForward>
  DecoderBlockOf(int64_t width, const BlockOptions& options, const MakeAttention& make_attention,
                 const MakeCrossAttention& make_cross_attention, const MakeFeedForward& make_feed_forward)
      : norm1(this->template child<Norm>("norm1", width, detail::norm_options(options))),
        attention(make_attention([this](const auto&... arguments) -> Attention& {
          return this->template child<Attention>("attention", arguments...);
        })),
        norm2(this->template child<Norm>("norm2", width, detail::norm_options(options))),
        cross_attention(make_cross_attention([this](const auto&... arguments) -> CrossAttention& {
          return this->template child<CrossAttention>("cross_attention", arguments...);
        })),
        norm3(this->template child<Norm>("norm3", width, detail::norm_options(options))),
        feed_forward(make_feed_forward([this](const auto&... arguments) -> FeedForwardLayer& {
          return this->template child<FeedForwardLayer>("feed_forward", arguments...);
        })),
        dropout(this->template child<Dropout>("dropout", options.dropout)),
        drop_path(this->template child<DropPath>("drop_path", options.drop_path)),
        placement(options.norm) {}

  /// x (B, T, C), memory (B, S, C) -> (B, T, C). `memory_mask` tells which tokens of memory count; `bias` is
  /// that of attention to oneself.
  Tensor forward(const Tensor& x, const Tensor& memory, const Mask& mask = Mask::causal(),
                 const Mask& memory_mask = {}, const Tensor& bias = {}) const {
    static_assert(detail::CallableWith<const Attention, const Tensor&, const Mask&>,
                  "the attention of a decoder block takes a mask: forward(x, mask)");
    return through(
        x, [&](const Tensor& t) { return detail::attend(attention, t, mask, bias); },
        [&](const Tensor& t) { return detail::call_module(cross_attention, t, memory, memory_mask); });
  }
  /// Decoding with a cache, x (B, T, C) the next tokens, and what cross_attention.remember() gives for a
  /// memory.
  Tensor forward(const Tensor& x, KeyValueCache& cache, const KeyValueCache& memory,
                 std::span<const int64_t> lengths = {}, const Tensor& bias = {}) const {
    const NoGrad no_grad;
    return through(
        x, [&](const Tensor& t) { return detail::call_module(attention, t, cache, lengths, bias); },
        [&](const Tensor& t) { return cross_attention.forward_memory(t, memory); });
  }

  Norm& norm1;
  Attention& attention;
  Norm& norm2;
  CrossAttention& cross_attention;
  Norm& norm3;
  FeedForwardLayer& feed_forward;
  Dropout& dropout;
  DropPath& drop_path;
  const NormPlacement placement;

 private:
  template <class Attend, class AttendMemory>
  Tensor through(const Tensor& x, const Attend& attend, const AttendMemory& attend_memory) const {
    const Tensor y = detail::residual(*this, detail::residual(*this, x, norm1, attend), norm2, attend_memory);
    return detail::residual(*this, y, norm3,
                            [&](const Tensor& t) { return detail::call_module(feed_forward, t); });
  }
};

extern template class EncoderBlockOf<>;
extern template class DecoderBlockOf<>;
using EncoderBlock = EncoderBlockOf<>;
using DecoderBlock = DecoderBlockOf<>;
/// PyTorch's names; its arguments are in BlockOptions.
using TransformerEncoderLayer = EncoderBlock;
using TransformerDecoderLayer = DecoderBlock;

}  // namespace weft
