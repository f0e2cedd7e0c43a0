#include <weft/autograd/attention.h>
#include <weft/autograd/composed.h>
#include <weft/autograd/op.h>
#include <weft/autograd/ops.h>
#include <weft/lib/kernels/attention.h>
#include <weft/lib/kernels/elementwise.h>
#include <weft/lib/kernels/movement.h>

#include <cmath>
#include <cstddef>
#include <cstring>

namespace weft {

namespace {

/// The numbers of this call's dropout.
RandomScope::Draw draw_of(const char* op, const AttentionOptions& options) {
  return options.draw ? *options.draw : RandomScope::next(op, options.stream);
}

}  // namespace

namespace composed {

namespace {

/// 1 / (1 - p) where a weight (B, H, T, S) is kept, else 0. Rows of places are whole vectors:
/// kernels/attention.h.
Tensor kept_weights(const AttentionOptions& options, const Shape& shape, DType dtype) {
  const RandomScope::Draw draw = draw_of("attention", options);
  const Array places = Array::ones(shape.with(-1, (shape.dim(-1) + 63) / 64 * 64), dtype);
  return Tensor(kernels::slice(kernels::dropout(places, options.dropout, draw.key, draw.first_sample), 3, 0,
                               shape.dim(-1)));
}

}  // namespace

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options) {
  const double scale = options.scale.value_or(1.0 / std::sqrt(static_cast<double>(q.dim(-1))));
  Tensor scores = matmul(q, k, false, true) * scale;
  if (options.bias.defined()) scores = scores + options.bias;
  if (!options.mask.empty()) {
    const Array allowed = options.mask.dense(q.dim(0), q.dim(1), q.dim(2), k.dim(2));
    scores = masked_fill(scores, kernels::logical_not(allowed), -INFINITY);
  }
  Tensor weights = composed::softmax(scores);
  if (options.dropout > 0) weights = weights * kept_weights(options, weights.shape(), weights.dtype());
  return matmul(weights, v, false, false);
}

}  // namespace composed

namespace {

/// Where the heads lie: side by side in the last axis of (B, T, H D), or as an axis of (B, H, T, D).
struct Layout {
  int64_t heads;
  bool side_by_side;

  int64_t tokens(const Tensor& x) const { return x.dim(side_by_side ? 1 : 2); }
  int64_t width(const Tensor& x) const { return side_by_side ? x.dim(2) / heads : x.dim(3); }

  template <class T>
  kernels::HeadView<T> view(const Shape& shape, T* data) const {
    if (side_by_side) return {data, shape[1] * shape[2], shape[2] / heads, shape[2]};
    return {data, shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3]};
  }
  kernels::HeadView<const float> view(const Array& x) const { return view(x.shape(), x.data<float>()); }
  kernels::HeadView<float> view_mutable(Array& x) const { return view(x.shape(), x.mutable_data<float>()); }

  /// (B, H, T, D), as the composed form wants it, and back.
  Tensor apart(const Tensor& x) const {
    if (!side_by_side) return x;
    return permute(reshape(x, {x.dim(0), x.dim(1), heads, x.dim(2) / heads}), {0, 2, 1, 3});
  }
  Tensor together(const Tensor& x) const {
    if (!side_by_side) return x;
    return reshape(permute(x, {0, 2, 1, 3}), {x.dim(0), x.dim(2), x.dim(1) * x.dim(3)});
  }
};

/// The problem as the kernel takes it, with what it points to.
struct Problem {
  kernels::AttentionProblem p;
  Array allow, bias;

  Problem(const Layout& at, const Tensor& q, const Tensor& k, const AttentionOptions& options) {
    p.B = q.dim(0);
    p.H = at.heads;
    p.T = at.tokens(q);
    p.S = at.tokens(k);
    p.D = at.width(q);
    p.scale = options.scale.value_or(1.0 / std::sqrt(static_cast<double>(p.D)));
    p.causal = options.mask.is_causal;
    p.causal_offset = options.mask.causal_offset;
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
      bias = options.bias.value();
      p.bias = bias.data<float>();
      p.bias_head = bias.dim(1) == 1 ? 0 : p.T * p.S;
      p.bias_batch = bias.dim(0) == 1 ? 0 : bias.dim(1) * p.T * p.S;
    }
  }
};

/// The bias with four axes, of which the last two are whole.
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

Tensor fused(const Layout& at, const Tensor& q, const Tensor& k, const Tensor& v,
             const AttentionOptions& options) {
  const Problem problem(at, q, k, options);
  Array out(q.shape(), float32), lse({problem.p.B, problem.p.H, problem.p.T}, float32);
  kernels::attention(problem.p, at.view(q.value()), at.view(k.value()), at.view(v.value()),
                     at.view_mutable(out), lse.mutable_data<float>());
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
            return at.together(
                composed::attention(at.apart(in[0]), at.apart(in[1]), at.apart(in[2]), settings));
          },
          {q(), k(), v(), bias()}, g);
    }
    const Problem same(at, q(), k(), settings);
    Array dq(q().shape(), float32), dk(k().shape(), float32), dv(v().shape(), float32), d_bias;
    if (wanted[3]) d_bias = Array::zeros(bias().shape(), float32);
    kernels::attention_grad(same.p, at.view(q().value()), at.view(k().value()), at.view(v().value()),
                            at.view(out), lse.data<float>(), at.view(g.value()), at.view_mutable(dq),
                            at.view_mutable(dk), at.view_mutable(dv),
                            wanted[3] ? d_bias.mutable_data<float>() : nullptr);
    return {Tensor(dq), Tensor(dk), Tensor(dv), wanted[3] ? Tensor(d_bias) : Tensor()};
  };
  return make_op("attention", out, {q, k, v, options.bias}, rule);
}

void check_shapes(const char* op, const Layout& at, const Tensor& q, const Tensor& k, const Tensor& v) {
  const int rank = at.side_by_side ? 3 : 4;
  if (q.rank() != rank || k.rank() != rank || !(k.shape() == v.shape()) || q.dim(0) != k.dim(0) ||
      q.dim(-1) != k.dim(-1) || (!at.side_by_side && q.dim(1) != k.dim(1))) {
    fail<ShapeError>(op, ": q is ", q.shape(), ", k ", k.shape(), ", v ", v.shape(), ": needs q (B, ",
                     at.side_by_side ? "T, C" : "H, T, D", "), k and v (B, ",
                     at.side_by_side ? "S, C)" : "H, S, D)");
  }
}

Tensor attention(const char* op, const Layout& at, const Tensor& q, const Tensor& k, const Tensor& v,
                 const AttentionOptions& options) {
  check_shapes(op, at, q, k, v);
  const int64_t B = q.dim(0), H = at.heads, T = at.tokens(q), S = at.tokens(k);
  options.mask.check(op, B, H, T, S);
  AttentionOptions settings = options;
  settings.bias = raised_bias(options.bias, B, H, T, S);
  if (!(options.dropout >= 0 && options.dropout < 1))
    fail<ValueError>(op, ": the dropout ", options.dropout, " is not in [0, 1)");
  if (options.dropout > 0) settings.draw = draw_of(op, options);
  const bool floats = q.dtype() == float32 && k.dtype() == float32 && v.dtype() == float32;
  if (floats && q.size() > 0 && k.size() > 0) return fused(at, q, k, v, settings);
  return at.together(composed::attention(at.apart(q), at.apart(k), at.apart(v), settings));
}

Layout side_by_side(const char* op, const Tensor& q, int64_t heads) {
  if (heads < 1 || q.rank() != 3 || q.dim(2) % heads != 0) {
    fail<ShapeError>(op, ": ", heads, " heads do not divide the width of q ", q.shape());
  }
  return {heads, true};
}

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options) {
  return attention("scaled_dot_product_attention", {q.rank() == 4 ? q.dim(1) : 1, false}, q, k, v, options);
}

Tensor multi_head_attention(const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads,
                            const AttentionOptions& options) {
  return attention("multi_head_attention", side_by_side("multi_head_attention", q, heads), q, k, v, options);
}

Array attention_weights(const Tensor& q, const Tensor& k, int64_t heads, const AttentionOptions& options) {
  const NoGrad no_grad;
  const Layout at = side_by_side("attention_weights", q, heads);
  check_shapes("attention_weights", at, q, k, k);
  const Tensor queries = at.apart(q), keys = at.apart(k);
  // Values of one 1 in each place give the weights themselves.
  const Tensor identity(kernels::compare(kernels::Compare::eq, Array::arange(keys.dim(2)).reshape({-1, 1}),
                                         Array::arange(keys.dim(2)))
                            .to(q.dtype()));
  AttentionOptions settings = options;
  settings.bias = raised_bias(options.bias, queries.dim(0), heads, queries.dim(2), keys.dim(2));
  settings.mask.check("attention_weights", queries.dim(0), heads, queries.dim(2), keys.dim(2));
  return composed::attention(queries, keys, identity, settings).value();
}

namespace {

/// Copies x (B, T, C) into `room` (B, R, C) at token `at`.
void write_tokens(Array& room, const Array& x, int64_t at) {
  const size_t row = static_cast<size_t>(x.dim(2)) * size_of(x.dtype());
  const size_t tokens = static_cast<size_t>(x.dim(1)), capacity = static_cast<size_t>(room.dim(1));
  auto* const to = static_cast<std::byte*>(room.mutable_bytes());
  const auto* const from = static_cast<const std::byte*>(x.bytes());
  for (size_t b = 0; b < static_cast<size_t>(x.dim(0)); ++b) {
    std::memcpy(to + (b * capacity + static_cast<size_t>(at)) * row, from + b * tokens * row, tokens * row);
  }
}

}  // namespace

void KeyValueCache::append(const Array& k, const Array& v) {
  if (k.rank() != 3 || !(k.shape() == v.shape()) || k.dtype() != v.dtype()) {
    fail<ShapeError>("KeyValueCache: keys are ", k.shape(), " ", k.dtype(), ", values ", v.shape(), " ",
                     v.dtype(), ": needs (B, T, C) for both");
  }
  if (length_ > 0 && (k.dim(0) != keys_.dim(0) || k.dim(2) != keys_.dim(2) || k.dtype() != keys_.dtype())) {
    fail<ShapeError>("KeyValueCache: holds ", keys_.shape(), " ", keys_.dtype(),
                     ", which does not go on with ", k.shape(), " ", k.dtype());
  }
  const int64_t wanted = length_ + k.dim(1);
  const bool fits = keys_.defined() && keys_.shape() == Shape{k.dim(0), keys_.dim(1), k.dim(2)} &&
                    keys_.dtype() == k.dtype() && keys_.dim(1) >= wanted;
  if (!fits) {
    const Shape room{k.dim(0), std::max<int64_t>(wanted, std::max<int64_t>(32, 2 * length_)), k.dim(2)};
    Array more_keys = Array::zeros(room, k.dtype()), more_values = Array::zeros(room, k.dtype());
    if (length_ > 0) {
      write_tokens(more_keys, kernels::slice(keys_, 1, 0, length_), 0);
      write_tokens(more_values, kernels::slice(values_, 1, 0, length_), 0);
    }
    keys_ = more_keys;
    values_ = more_values;
  }
  write_tokens(keys_, k, length_);
  write_tokens(values_, v, length_);
  length_ = wanted;
}

Tensor cached_attention(const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads,
                        KeyValueCache& cache) {
  const NoGrad no_grad;
  const Layout at = side_by_side("cached_attention", q, heads);
  if (!(q.shape() == k.shape()))
    fail<ShapeError>("cached_attention: q is ", q.shape(), ", k ", k.shape(), ": they must be alike");
  const int64_t before = cache.length();
  cache.append(k.value(), v.value());
  const AttentionOptions options{.mask = Mask::causal(before)};
  if (q.dtype() != float32) {
    const auto held = [&](const Array& room) { return Tensor(kernels::slice(room, 1, 0, cache.length())); };
    return multi_head_attention(q, held(cache.keys()), held(cache.values()), heads, options);
  }
  Problem problem(at, q, k, options);
  problem.p.S = cache.length();
  Array out(q.shape(), float32), lse({problem.p.B, problem.p.H, problem.p.T}, float32);
  kernels::attention(problem.p, at.view(q.value()), at.view(cache.keys()), at.view(cache.values()),
                     at.view_mutable(out), lse.mutable_data<float>());
  return Tensor(out);
}

}  // namespace weft
