#include <weft/layers/multi_head_attention.h>
#include <weft/lib/random.h>

namespace weft {

namespace {

int64_t checked_heads(int64_t width, int64_t heads) {
  if (heads < 1 || width < 1 || width % heads != 0) {
    fail<ValueError>("MultiHeadAttention: ", heads, " heads do not divide the width ", width);
  }
  return heads;
}

int64_t checked_kv_heads(int64_t heads, int64_t kv_heads) {
  if (kv_heads == 0) return heads;
  if (kv_heads < 0 || heads % kv_heads != 0)
    fail<ValueError>("MultiHeadAttention: ", kv_heads, " heads of keys and values do not divide ", heads,
                     " heads");
  return kv_heads;
}

}  // namespace

MultiHeadAttention::MultiHeadAttention(int64_t width, int64_t head_count,
                                       const MultiHeadAttentionOptions& options)
    : heads(checked_heads(width, head_count)),
      kv_heads(checked_kv_heads(heads, options.kv_heads)),
      query(child<Linear>("query", width, width, options.input.with_bias(options.bias))),
      key(child<Linear>("key", width, width / heads * kv_heads, options.input.with_bias(options.bias))),
      value(child<Linear>("value", width, width / heads * kv_heads, options.input.with_bias(options.bias))),
      output(child<Linear>("output", width, width, options.output.with_bias(options.bias))),
      dropout(options.dropout) {
  if (!(dropout >= 0 && dropout < 1))
    fail<ValueError>("MultiHeadAttention: the dropout ", dropout, " is not in [0, 1)");
}

Tensor MultiHeadAttention::forward(const Tensor& x, const Tensor& context, const Mask& mask) const {
  const LayerScope layer = profile_scope();
  AttentionOptions options{.mask = mask};
  if (training() && dropout > 0) {
    options.dropout = dropout;
    options.stream = path();
  }
  return output(multi_head_attention(query(x), key(context), value(context), heads, options));
}

Tensor MultiHeadAttention::forward(const Tensor& x, KeyValueCache& cache,
                                   std::span<const int64_t> lengths) const {
  const NoGrad no_grad;
  const LayerScope layer = profile_scope();
  return output(cached_attention(query(x), key(x), value(x), heads, cache, lengths));
}

KeyValueCache MultiHeadAttention::remember(const Tensor& context, std::span<const int64_t> lengths) const {
  const NoGrad no_grad;
  const LayerScope layer = profile_scope();
  KeyValueCache memory;
  memory.append(key(context).value(), value(context).value(), lengths);
  return memory;
}

Tensor MultiHeadAttention::forward_memory(const Tensor& x, const KeyValueCache& memory) const {
  const NoGrad no_grad;
  const LayerScope layer = profile_scope();
  return output(memory_attention(query(x), heads, memory));
}

Array MultiHeadAttention::weights(const Tensor& x, const Tensor& context, const Mask& mask) const {
  const NoGrad no_grad;
  return attention_weights(query(x), key(context), heads, {.mask = mask});
}

}  // namespace weft
