#include <weft/autograd/autocast_internal.h>
#include <weft/autograd/op.h>
#include <weft/autograd/ops/attention_internal.h>
#include <weft/autograd/ops/composed.h>
#include <weft/lib/base/math.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/movement.h>
#include <weft/lib/kernels/strides.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace weft {

using namespace detail;

namespace composed {

namespace {

/// 1 / (1 - p) where a weight (B, H, T, S) is kept, else 0. Rows of places are whole vectors:
/// kernels/fused/attention.h.
Tensor kept_weights(const AttentionOptions& options, const Shape& shape, DType dtype) {
  const RandomScope::Draw draw = draw_of("attention", options);
  const Array places = Array::ones(shape.with(-1, (shape.dim(-1) + 63) / 64 * 64), dtype);
  return Tensor(kernels::slice(kernels::dropout(places, options.dropout, draw.key, draw.first_sample), 3, 0,
                               shape.dim(-1)));
}

/// x (B, G, S, D) with each head as often as makes `heads` of them.
Tensor repeated(const Tensor& x, int64_t heads) {
  const int64_t B = x.dim(0), G = x.dim(1), S = x.dim(2), D = x.dim(3);
  if (G == heads) return x;
  return reshape(expand(reshape(x, {B, G, 1, S, D}), {B, G, heads / G, S, D}), {B, heads, S, D});
}

/// What ALiBi adds to the scores (B or 1, H, T, S).
Tensor distance_bias(const AttentionOptions& options, const Shape& scores, DType dtype) {
  const Mask& mask = options.mask;
  const int64_t B = mask.causal_offsets.empty() ? 1 : scores[0], H = scores[1], T = scores[2], S = scores[3];
  Array bias({B, H, T, S}, float64);
  double* const values = bias.mutable_data<double>();
  parallel_for(B * H * T, kernels::tile_of_items(S), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t place = mask.offset_of(static_cast<size_t>(row / (H * T))) + row % T;
      const double slope = options.slopes[static_cast<size_t>(row / T % H)];
      for (int64_t s = 0; s < S; ++s) values[row * S + s] = -slope * std::abs(static_cast<double>(s - place));
    }
  });
  return Tensor(bias.to(dtype));
}

/// What the values are weighed with, (B, H, T, S); `kept` of them, where some are dropped.
Tensor attention_weights(const Tensor& q, const Tensor& shared_k, const AttentionOptions& options,
                         const Tensor& kept = {}) {
  const double scale = options.scale.value_or(1.0 / std::sqrt(static_cast<double>(q.dim(-1))));
  const Tensor k = repeated(shared_k, q.dim(1));
  Tensor scores = matmul(q, k, false, true) * scale;
  if (options.bias.defined()) scores = scores + options.bias;
  if (!options.slopes.empty()) scores = scores + distance_bias(options, scores.shape(), scores.dtype());
  if (!options.mask.empty()) {
    const Array allowed = options.mask.dense(q.dim(0), q.dim(1), q.dim(2), k.dim(2));
    scores = masked_fill(scores, kernels::logical_not(allowed), -INFINITY);
  }
  Tensor weights = composed::softmax(scores);
  return kept.defined() ? weights * kept : weights;
}

/// The part of a mask, a bias or a draw (B or 1, H or 1, T or 1, S or 1) that is one document's with itself, of which
/// keys are counted from `first_key`.
Tensor square_of(const Tensor& x, const Document& of, int64_t first_key) {
  const auto part = [](const Tensor& y, int axis, int64_t first, int64_t count) {
    return y.dim(axis) == 1 ? y : slice(y, axis, first, first + count);
  };
  return part(part(part(x, 0, of.row, 1), 2, of.first, of.tokens), 3, first_key, of.tokens);
}

AttentionOptions options_of(const AttentionOptions& all, const Document& of, const Shape& scores) {
  AttentionOptions own = all;
  own.mask.begins.clear();
  if (!all.mask.key_lengths.empty())
    own.mask.key_lengths = {
        std::clamp<int64_t>(all.mask.key_lengths[static_cast<size_t>(of.row)] - of.first, 0, of.tokens)};
  if (all.mask.allow.defined()) {
    const Array whole = Mask::allowed(all.mask.allow).dense(scores[0], scores[1], scores[2], scores[3]);
    own.mask.allow = square_of(Tensor(whole), of, of.first).value();
  }
  if (all.bias.defined()) own.bias = square_of(all.bias, of, of.first);
  return own;
}

/// Each document as a row of its own.
Tensor attention_in_documents(const Tensor& q, const Tensor& k, const Tensor& v,
                              const AttentionOptions& options, const Tensor& kept) {
  const Shape scores{q.dim(0), q.dim(1), q.dim(2), k.dim(2)};
  const auto own = [](const Tensor& x, const Document& of) {
    return slice(slice(x, 0, of.row, of.row + 1), 2, of.first, of.first + of.tokens);
  };
  std::vector<Tensor> rows, parts;
  for (const Document& of : documents_of(options.mask.begins, q.dim(0), q.dim(2))) {
    const Tensor drawn = kept.defined() ? square_of(kept, of, 0) : Tensor();
    const Tensor weights = attention_weights(own(q, of), own(k, of), options_of(options, of, scores), drawn);
    parts.push_back(matmul(weights, repeated(own(v, of), q.dim(1)), false, false));
    if (of.first + of.tokens < q.dim(2)) continue;
    rows.push_back(cat(parts, 2));
    parts.clear();
  }
  return cat(rows, 0);
}

}  // namespace

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options) {
  Tensor kept;
  if (options.dropout > 0) kept = kept_weights(options, {q.dim(0), q.dim(1), q.dim(2), k.dim(2)}, q.dtype());
  if (!options.mask.begins.empty() && q.dim(0) > 0) return attention_in_documents(q, k, v, options, kept);
  return matmul(attention_weights(q, k, options, kept), repeated(v, q.dim(1)), false, false);
}

}  // namespace composed

namespace {

/// Of T, float or BFloat16.
template <class T>
Tensor fused(const Layouts& at, const Tensor& q, const Tensor& k, const Tensor& v,
             const AttentionOptions& options) {
  const Problem problem(at, q, at.kv.tokens(k), options);
  Array out(q.shape(), q.dtype()), lse({problem.p.B, problem.p.H, problem.p.T}, float32);
  kernels::attention(problem.p, at.q.view<T>(q.value()), at.kv.view<T>(k.value()), at.kv.view<T>(v.value()),
                     at.q.view_mutable<T>(out), lse.mutable_data<float>());
  AttentionOptions without_bias = options;
  without_bias.bias = {};
  const auto rule = [=, q = save(q), k = save(k), v = save(v), bias = save(options.bias)](
                        const Tensor& g, const std::vector<bool>& wanted) -> std::vector<Tensor> {
    AttentionOptions settings = without_bias;
    settings.bias = bias();
    if (grad_enabled()) {
      return composed_grad(
          [&](const std::vector<Tensor>& in) {
            settings.bias = in[3];
            const auto wide = [](const Tensor& x) { return detail::widened(x); };
            return at.q.together(composed::attention(at.q.apart(wide(in[0])), at.kv.apart(wide(in[1])),
                                                     at.kv.apart(wide(in[2])), settings));
          },
          {q(), k(), v(), bias()}, g);
    }
    const Problem same(at, q(), at.kv.tokens(k()), settings);
    Array dq(q().shape(), out.dtype()), dk(k().shape(), out.dtype()), dv(v().shape(), out.dtype()), d_bias;
    if (wanted[3]) d_bias = Array::zeros(bias().shape(), float32);
    kernels::attention_grad(same.p, at.q.view<T>(q().value()), at.kv.view<T>(k().value()),
                            at.kv.view<T>(v().value()), at.q.view<T>(out), lse.data<float>(),
                            at.q.view<T>(g.value()), at.q.view_mutable<T>(dq), at.kv.view_mutable<T>(dk),
                            at.kv.view_mutable<T>(dv), wanted[3] ? d_bias.mutable_data<float>() : nullptr);
    return {Tensor(dq), Tensor(dk), Tensor(dv), wanted[3] ? Tensor(d_bias) : Tensor()};
  };
  return make_op("attention", out, {q, k, v, options.bias}, rule);
}

}  // namespace

Tensor detail::attention(const char* op, const Layout& queries, const Tensor& given_q, const Tensor& given_k,
                         const Tensor& given_v, const AttentionOptions& options) {
  const bool narrow =
      given_q.dtype() == bfloat16 || given_k.dtype() == bfloat16 || given_v.dtype() == bfloat16;
  const auto as_one = [&](const Tensor& x) {
    return narrow && x.dtype() == float32 ? to(x, bfloat16) : autocast(x);
  };
  const Tensor q = as_one(given_q), k = as_one(given_k), v = as_one(given_v);
  const Layouts at = layouts_of(op, queries, q, k.shape(), v.shape());
  const int64_t B = q.dim(0), H = at.q.heads, T = at.q.tokens(q), S = at.kv.tokens(k);
  options.mask.check(op, B, H, T, S);
  AttentionOptions settings = options;
  settings.bias = raised_bias(options.bias, B, H, T, S);
  if (!(options.dropout >= 0 && options.dropout < 1))
    fail<ValueError>(op, ": the dropout ", options.dropout, " is not in [0, 1)");
  check_slopes(op, options, H);
  if (options.dropout > 0) settings.draw = draw_of(op, options);
  const bool filled = q.size() > 0 && k.size() > 0, same = q.dtype() == k.dtype() && k.dtype() == v.dtype();
  if (filled && same && q.dtype() == float32) return fused<float>(at, q, k, v, settings);
  if (filled && same && q.dtype() == bfloat16) return fused<BFloat16>(at, q, k, v, settings);
  return at.q.together(composed::attention(at.q.apart(q), at.kv.apart(k), at.kv.apart(v), settings));
}

Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options) {
  return detail::attention("scaled_dot_product_attention", {q.rank() == 4 ? q.dim(1) : 1, false}, q, k, v,
                           options);
}

Tensor multi_head_attention(const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads,
                            const AttentionOptions& options) {
  return detail::attention("multi_head_attention", side_by_side("multi_head_attention", q, heads), q, k, v,
                           options);
}

Array attention_weights(const Tensor& q, const Tensor& k, int64_t heads, const AttentionOptions& options) {
  const NoGrad no_grad;
  const Layouts at =
      layouts_of("attention_weights", side_by_side("attention_weights", q, heads), q, k.shape(), k.shape());
  const Tensor queries = at.q.apart(detail::widened(q)), keys = at.kv.apart(detail::widened(k));
  AttentionOptions settings = options;
  settings.bias = raised_bias(options.bias, queries.dim(0), heads, queries.dim(2), keys.dim(2));
  settings.mask.check("attention_weights", queries.dim(0), heads, queries.dim(2), keys.dim(2));
  check_slopes("attention_weights", options, heads);
  return composed::attention_weights(queries, keys, settings).value();
}

std::vector<double> alibi_slopes(int64_t heads) {
  if (heads < 1) fail<ValueError>("alibi_slopes: ", heads, " heads");
  const auto geometric = [](int64_t count, int64_t i) {
    return math::pow(2.0, -8.0 * static_cast<double>(i) / static_cast<double>(count));
  };
  const int64_t power = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(heads)));
  std::vector<double> slopes;
  for (int64_t i = 1; i <= power; ++i) slopes.push_back(geometric(power, i));
  for (int64_t i = 1; i <= heads - power; ++i) slopes.push_back(geometric(2 * power, 2 * i - 1));
  return slopes;
}

}  // namespace weft
