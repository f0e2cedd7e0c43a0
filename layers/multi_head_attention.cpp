#include <weft/layers/attention_recorder.h>
#include <weft/layers/multi_head_attention.h>
#include <weft/lib/array/random.h>

namespace weft {

namespace {

int64_t checked_heads(int64_t width, int64_t heads, const MultiHeadAttentionOptions& options) {
  const char* const op = "MultiHeadAttention";
  if (options.head_width < 0) fail<ValueError>(op, ": the head_width ", options.head_width, " is negative");
  if (heads < 1 || width < 1 || (options.head_width == 0 && width % heads != 0))
    fail<ValueError>(op, ": ", heads, " heads do not divide the width ", width);
  if (!(options.dropout >= 0 && options.dropout < 1))
    fail<ValueError>(op, ": the dropout ", options.dropout, " is not in [0, 1)");
  if (options.value_gate < 0 || options.value_gate > width)
    fail<ValueError>(op, ": the value_gate reads ", options.value_gate, " of ", width, " channels");
  if (options.window < 0) fail<ValueError>(op, ": the window ", options.window, " is negative");
  const int64_t head_width = options.head_width > 0 ? options.head_width : width / heads;
  if (options.rotary && head_width % 2 != 0)
    fail<ValueError>(op, ": rotary positions need heads of an even width, not ", head_width);
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
                                       const MultiHeadAttentionOptions& given)
    : heads(checked_heads(width, head_count, given)),
      kv_heads(checked_kv_heads(heads, given.kv_heads)),
      head_width(given.head_width > 0 ? given.head_width : width / heads),
      query(child<Linear>("query", width, heads * head_width,
                          given.query.value_or(given.input).with_bias(given.bias))),
      key(child<Linear>("key", width, kv_heads * head_width, given.input.with_bias(given.bias))),
      value(child<Linear>("value", width, kv_heads * head_width, given.input.with_bias(given.bias))),
      output(child<Linear>("output", heads * head_width, width, given.output.with_bias(given.bias))),
      query_norm(given.qk_norm ? &child<RMSNorm>("query_norm", head_width, *given.qk_norm) : nullptr),
      key_norm(given.qk_norm ? &child<RMSNorm>("key_norm", head_width, *given.qk_norm) : nullptr),
      value_gate(given.value_gate > 0
                     ? &child<Linear>("value_gate", given.value_gate, kv_heads,
                                      LinearOptions{.bias = false, .weight_init = init::zeros()})
                     : nullptr),
      options(given),
      slopes_(given.alibi ? alibi_slopes(heads) : std::vector<double>()) {}

AttentionOptions MultiHeadAttention::attention_options(const Mask& mask, const Tensor& bias) const {
  AttentionOptions result{.mask = mask, .bias = bias, .scale = options.scale, .slopes = slopes_};
  if (options.window > 0) {
    Mask window = Mask::window(options.window, mask.causal_offset);
    window.causal_offsets = mask.causal_offsets;
    result.mask = mask & window;
  }
  return result;
}

Tensor MultiHeadAttention::normed(const Tensor& x, int64_t x_heads, const RMSNorm* norm) const {
  if (!norm) return x;
  return reshape((*norm)(reshape(x, {x.dim(0), x.dim(1), x_heads, head_width})), x.shape());
}

Tensor MultiHeadAttention::gated(const Tensor& made, const Tensor& x, const Tensor& values) const {
  if (!values.defined() && !value_gate) return made;
  if (!values.defined() || !value_gate || values.shape() != made.shape())
    fail<ShapeError>("MultiHeadAttention: ", values.defined() ? str("values ", values.shape()) : "no values",
                     " beside those of x, ", made.shape(), ", with ", value_gate ? "a" : "no",
                     " gate for them");
  const int64_t B = x.dim(0), S = x.dim(1);
  const Tensor gate = sigmoid((*value_gate)(slice(x, 2, 0, options.value_gate))) * 2.0;  // (B, S, G)
  const Tensor heads_apart =
      reshape(values, {B, S, kv_heads, head_width}) * reshape(gate, {B, S, kv_heads, 1});
  return made + reshape(heads_apart, made.shape());
}

Tensor MultiHeadAttention::apply_rotary(const Tensor& x, int64_t x_heads, const Array& places) const {
  if (!options.rotary) return x;
  return places.defined() ? rotary(x, x_heads, *options.rotary, places) : rotary(x, x_heads, *options.rotary);
}

namespace {

/// Of tokens in documents, if the mask says so.
Array places_of(const Mask& mask, const Tensor& x, const Tensor& context) {
  if (mask.begins.empty()) return {};
  mask.check("MultiHeadAttention", x.dim(0), 1, x.dim(1), context.dim(1));
  return places_in_documents(mask.begins, x.dim(0), x.dim(1));
}

}  // namespace

Tensor MultiHeadAttention::forward(const Tensor& x, const Tensor& context, const Mask& mask,
                                   const Tensor& bias, const Tensor& values) const {
  AttentionOptions settings = attention_options(mask, bias);
  if (training() && options.dropout > 0) {
    settings.dropout = options.dropout;
    settings.stream = path();
  }
  if (AttentionRecorder* const recorder = AttentionRecorder::current())
    recorder->add({path(), x.state() != context.state(), weights(x, context, mask, bias)});
  const Array places = places_of(mask, x, context);
  const Tensor q = apply_rotary(normed(query(x), heads, query_norm), heads, places),
               k = apply_rotary(normed(key(context), kv_heads, key_norm), kv_heads, places);
  return output(multi_head_attention(q, k, gated(value(context), context, values), heads, settings));
}

Tensor MultiHeadAttention::forward(const Tensor& x, KeyValueCache& cache, std::span<const int64_t> lengths,
                                   const Tensor& bias, const Tensor& values) const {
  const NoGrad no_grad;
  const std::vector<Tensor> made =
      linears(x, {{query.weight, query.bias}, {key.weight, key.bias}, {value.weight, value.bias}});
  Tensor q = normed(query.adapted(made[0], x), heads, query_norm),
         k = normed(key.adapted(made[1], x), kv_heads, key_norm);
  if (options.rotary) {
    const auto placed = [&](const Tensor& y, int64_t y_heads) {
      return cache.same_length() ? rotary(y, y_heads, *options.rotary, cache.length())
                                 : rotary(y, y_heads, *options.rotary, cache.lengths());
    };
    q = placed(q, heads), k = placed(k, kv_heads);
  }
  return output(cached_attention(q, k, gated(value.adapted(made[2], x), x, values), heads, cache, lengths,
                                 attention_options(Mask::causal(), bias)));
}

KeyValueCache MultiHeadAttention::remember(const Tensor& context, std::span<const int64_t> lengths) const {
  const NoGrad no_grad;
  const LayerScope layer = profile_scope();
  KeyValueCache memory;
  memory.append(apply_rotary(normed(key(context), kv_heads, key_norm), kv_heads).value(),
                gated(value(context), context, {}).value(), lengths);
  return memory;
}

Tensor MultiHeadAttention::forward_memory(const Tensor& x, const KeyValueCache& memory) const {
  const NoGrad no_grad;
  const LayerScope layer = profile_scope();
  return output(memory_attention(apply_rotary(normed(query(x), heads, query_norm), heads), heads, memory,
                                 attention_options({}, {})));
}

Array MultiHeadAttention::weights(const Tensor& x, const Tensor& context, const Mask& mask,
                                  const Tensor& bias) const {
  const NoGrad no_grad;
  const Array places = places_of(mask, x, context);
  return attention_weights(apply_rotary(normed(query(x), heads, query_norm), heads, places),
                           apply_rotary(normed(key(context), kv_heads, key_norm), kv_heads, places), heads,
                           attention_options(mask, bias));
}

}  // namespace weft
