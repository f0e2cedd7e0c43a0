#include <weft/autograd/ops/attention_internal.h>

#include <cmath>

namespace weft::detail {

RandomScope::Draw draw_of(const char* op, const AttentionOptions& options) {
  return options.draw ? *options.draw : RandomScope::next(op, options.stream);
}

Problem::Problem(const Layouts& at, const Tensor& q, int64_t keys, const AttentionOptions& options) {
  p.B = q.dim(0);
  p.H = at.q.heads;
  p.T = at.q.tokens(q);
  p.S = keys;
  p.D = at.q.width(q);
  p.group = at.q.heads / at.kv.heads;
  p.scale = options.scale.value_or(1.0 / std::sqrt(static_cast<double>(p.D)));
  p.causal = options.mask.is_causal;
  p.causal_offset = options.mask.offset_of(0);
  if (!options.mask.causal_offsets.empty()) p.causal_offsets = options.mask.causal_offsets.data();
  p.window = options.mask.window_width;
  if (!options.slopes.empty()) {
    slopes.assign(options.slopes.begin(), options.slopes.end());
    p.slopes = slopes.data();
  }
  if (!options.mask.begins.empty()) {
    documents = documents_of(options.mask.begins, p.B, p.T);
    p.documents = documents;
  }
  if (!options.mask.key_lengths.empty()) p.key_lengths = options.mask.key_lengths.data();
  if (options.mask.allow.defined()) {
    allow = Mask::allowed(options.mask.allow).dense(p.B, p.H, p.T, p.S);
    p.allowed = allow.data<bool>();
    p.allowed_head = allow.dim(1) == 1 ? 0 : p.T * p.S;
    p.allowed_batch = allow.dim(0) == 1 ? 0 : allow.dim(1) * p.T * p.S;
  }
  if (options.dropout > 0) {
    const RandomScope::Draw draw = draw_of("attention", options);
    p.dropout = options.dropout;
    p.dropout_key = draw.key;
    p.first_sample = draw.first_sample;
  }
  if (options.bias.defined()) {
    bias = options.bias.dtype() == bfloat16 ? options.bias.value().to(float32) : options.bias.value();
    p.bias = bias.data<float>();
    p.bias_head = bias.dim(1) == 1 ? 0 : p.T * p.S;
    p.bias_batch = bias.dim(0) == 1 ? 0 : bias.dim(1) * p.T * p.S;
  }
}

Tensor raised_bias(const Tensor& bias, int64_t B, int64_t H, int64_t T, int64_t S) {
  if (!bias.defined()) return bias;
  if (!broadcasts_to(bias.shape(), Shape{B, H, T, S})) {
    fail<ShapeError>("attention: bias ", bias.shape(),
                     " does not broadcast to (B, H, T, S) = ", Shape{B, H, T, S});
  }
  const auto extent = [&](int from_last) { return bias.rank() >= from_last ? bias.dim(-from_last) : 1; };
  const Shape whole{extent(4), extent(3), T, S};
  return bias.shape() == whole ? bias : expand(bias, whole);
}

Layouts layouts_of(const char* op, const Layout& at, const Tensor& q, const Shape& k, const Shape& v) {
  const int rank = at.side_by_side ? 3 : 4;
  Layout kv = at;
  bool fits = q.rank() == rank && k.rank() == rank && k == v && q.dim(0) == k.dim(0);
  if (fits) {
    const int64_t width = at.width(q);
    if (!at.side_by_side) kv.heads = k.dim(1);
    if (at.side_by_side && width > 0) kv.heads = k.dim(2) / width;
    fits = k.dim(-1) == (at.side_by_side ? kv.heads * width : width) &&
           (kv.heads == at.heads || (kv.heads > 0 && kv.heads < at.heads && at.heads % kv.heads == 0));
  }
  if (!fits) {
    fail<ShapeError>(op, ": q is ", q.shape(), ", k ", k, ", v ", v, ": needs q (B, ",
                     at.side_by_side ? str("T, H D) with H = ", at.heads) : "H, T, D)", ", k and v (B, ",
                     at.side_by_side ? "S, G D)" : "G, S, D)", ", where G is H or divides it");
  }
  return {at, kv};
}

Layout side_by_side(const char* op, const Tensor& q, int64_t heads) {
  if (heads < 1 || q.rank() != 3 || q.dim(2) % heads != 0) {
    fail<ShapeError>(op, ": ", heads, " heads do not divide the width of q ", q.shape());
  }
  return {heads, true};
}

void check_slopes(const char* op, const AttentionOptions& options, int64_t heads) {
  if (!options.slopes.empty() && static_cast<int64_t>(options.slopes.size()) != heads)
    fail<ShapeError>(op, ": ", options.slopes.size(), " slopes for ", heads, " heads");
}

}  // namespace weft::detail
