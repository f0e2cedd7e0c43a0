#include <weft/layers/transformer.h>

namespace weft {

namespace {

/// One residual branch, with the norm where the placement puts it.
template <class Sublayer>
Tensor residual(const Tensor& x, const LayerNorm& norm, const Dropout& dropout, NormPlacement placement,
                const Sublayer& sublayer) {
  if (placement == NormPlacement::pre) return x + dropout(sublayer(norm(x)));
  return norm(x + dropout(sublayer(x)));
}

}  // namespace

EncoderBlock::EncoderBlock(int64_t width, int64_t heads, const BlockOptions& options)
    : norm1(child<LayerNorm>("norm1", width, options.layer_norm)),
      attention(child<MultiHeadAttention>("attention", width, heads, options.attention)),
      norm2(child<LayerNorm>("norm2", width, options.layer_norm)),
      feed_forward(child<FeedForward>("feed_forward", width, options.feed_forward)),
      dropout(child<Dropout>("dropout", options.dropout)),
      placement(options.norm) {}

Tensor EncoderBlock::forward(const Tensor& x, const Mask& mask) const {
  const LayerScope layer = profile_scope();
  const Tensor y =
      residual(x, norm1, dropout, placement, [&](const Tensor& t) { return attention(t, mask); });
  return residual(y, norm2, dropout, placement, feed_forward);
}

Tensor EncoderBlock::forward(const Tensor& x, KeyValueCache& cache, std::span<const int64_t> lengths) const {
  const NoGrad no_grad;
  const LayerScope layer = profile_scope();
  const Tensor y = residual(x, norm1, dropout, placement,
                            [&](const Tensor& t) { return attention.forward(t, cache, lengths); });
  return residual(y, norm2, dropout, placement, feed_forward);
}

DecoderBlock::DecoderBlock(int64_t width, int64_t heads, const BlockOptions& options)
    : norm1(child<LayerNorm>("norm1", width, options.layer_norm)),
      attention(child<MultiHeadAttention>("attention", width, heads, options.attention)),
      norm2(child<LayerNorm>("norm2", width, options.layer_norm)),
      cross_attention(child<MultiHeadAttention>("cross_attention", width, heads, options.attention)),
      norm3(child<LayerNorm>("norm3", width, options.layer_norm)),
      feed_forward(child<FeedForward>("feed_forward", width, options.feed_forward)),
      dropout(child<Dropout>("dropout", options.dropout)),
      placement(options.norm) {}

Tensor DecoderBlock::forward(const Tensor& x, const Tensor& memory, const Mask& mask,
                             const Mask& memory_mask) const {
  const LayerScope layer = profile_scope();
  const Tensor y =
      residual(x, norm1, dropout, placement, [&](const Tensor& t) { return attention(t, mask); });
  const Tensor z = residual(y, norm2, dropout, placement,
                            [&](const Tensor& t) { return cross_attention.forward(t, memory, memory_mask); });
  return residual(z, norm3, dropout, placement, feed_forward);
}

}  // namespace weft
