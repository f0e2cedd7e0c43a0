#include <weft/layers/transformer.h>

namespace weft {

namespace {

/// One residual branch, with the norm where the placement puts it.
template <class Block, class Sublayer>
Tensor residual(const Block& block, const Tensor& x, const Norm& norm, const Sublayer& sublayer) {
  const auto branch = [&](const Tensor& t) { return block.drop_path(block.dropout(sublayer(t))); };
  if (block.placement == NormPlacement::pre) return x + branch(norm(x));
  return norm(x + branch(x));
}

NormOptions norm_options(const BlockOptions& options) { return {options.layer_norm, options.rms_norm}; }

MultiHeadAttentionOptions cross_options(const BlockOptions& options) {
  if (options.cross_attention) return *options.cross_attention;
  MultiHeadAttentionOptions result = options.attention;
  result.rotary = {};
  result.alibi = false;
  result.window = 0;
  return result;
}

}  // namespace

EncoderBlock::EncoderBlock(int64_t width, int64_t heads, const BlockOptions& options)
    : norm1(child<Norm>("norm1", width, norm_options(options))),
      attention(child<MultiHeadAttention>("attention", width, heads, options.attention)),
      norm2(child<Norm>("norm2", width, norm_options(options))),
      feed_forward(child<FeedForward>("feed_forward", width, options.feed_forward)),
      dropout(child<Dropout>("dropout", options.dropout)),
      drop_path(child<DropPath>("drop_path", options.drop_path)),
      placement(options.norm) {}

template <class Attend>
Tensor EncoderBlock::through(const Tensor& x, const Attend& attend) const {
  const LayerScope layer = profile_scope();
  return residual(*this, residual(*this, x, norm1, attend), norm2, feed_forward);
}

Tensor EncoderBlock::forward(const Tensor& x, const Mask& mask, const Tensor& bias) const {
  return through(x, [&](const Tensor& t) { return attention(t, mask, bias); });
}

Tensor EncoderBlock::forward(const Tensor& x, KeyValueCache& cache, std::span<const int64_t> lengths,
                             const Tensor& bias) const {
  const NoGrad no_grad;
  return through(x, [&](const Tensor& t) { return attention.forward(t, cache, lengths, bias); });
}

DecoderBlock::DecoderBlock(int64_t width, int64_t heads, const BlockOptions& options)
    : norm1(child<Norm>("norm1", width, norm_options(options))),
      attention(child<MultiHeadAttention>("attention", width, heads, options.attention)),
      norm2(child<Norm>("norm2", width, norm_options(options))),
      cross_attention(child<MultiHeadAttention>("cross_attention", width, heads, cross_options(options))),
      norm3(child<Norm>("norm3", width, norm_options(options))),
      feed_forward(child<FeedForward>("feed_forward", width, options.feed_forward)),
      dropout(child<Dropout>("dropout", options.dropout)),
      drop_path(child<DropPath>("drop_path", options.drop_path)),
      placement(options.norm) {}

template <class Attend, class AttendMemory>
Tensor DecoderBlock::through(const Tensor& x, const Attend& attend, const AttendMemory& attend_memory) const {
  const LayerScope layer = profile_scope();
  const Tensor y = residual(*this, residual(*this, x, norm1, attend), norm2, attend_memory);
  return residual(*this, y, norm3, feed_forward);
}

Tensor DecoderBlock::forward(const Tensor& x, const Tensor& memory, const Mask& mask, const Mask& memory_mask,
                             const Tensor& bias) const {
  return through(
      x, [&](const Tensor& t) { return attention(t, mask, bias); },
      [&](const Tensor& t) { return cross_attention.forward(t, memory, memory_mask); });
}

Tensor DecoderBlock::forward(const Tensor& x, KeyValueCache& cache, const KeyValueCache& memory,
                             std::span<const int64_t> lengths, const Tensor& bias) const {
  const NoGrad no_grad;
  return through(
      x, [&](const Tensor& t) { return attention.forward(t, cache, lengths, bias); },
      [&](const Tensor& t) { return cross_attention.forward_memory(t, memory); });
}

}  // namespace weft
