#include <weft/autograd/attention.h>
#include <weft/autograd/composed.h>
#include <weft/autograd/op.h>
#include <weft/autograd/ops.h>
#include <weft/lib/kernels/attention.h>
#include <weft/lib/kernels/elementwise.h>
#include <weft/lib/kernels/movement.h>
#include <weft/lib/kernels/strides.h>
#include <weft/lib/math.h>
#include <weft/lib/parallel.h>

#include <bit>
#include <cmath>

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

/// What the values are weighed with, (B, H, T, S).
Tensor attention_weights(const Tensor& q, const Tensor& shared_k, const AttentionOptions& options) {
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
  if (options.dropout > 0) weights = weights * kept_weights(options, weights.shape(), weights.dtype());
  return weights;
}

}  // namespace

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options) {
  return matmul(attention_weights(q, k, options), repeated(v, q.dim(1)), false, false);
}

}  // namespace composed

namespace {

/// Where the heads of an array lie: side by side in the last axis of (B, T, H D), or as an axis of (B, H, T,
/// D).
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

/// Those of queries and of keys and values, which may have fewer heads.
struct Layouts {
  Layout q, kv;
};

/// The problem as the kernel takes it, with what it points to.
struct Problem {
  kernels::AttentionProblem p;
  Array allow, bias;
  std::vector<float> slopes;

  Problem(const Layouts& at, const Tensor& q, int64_t keys, const AttentionOptions& options) {
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

Tensor fused(const Layouts& at, const Tensor& q, const Tensor& k, const Tensor& v,
             const AttentionOptions& options) {
  const Problem problem(at, q, at.kv.tokens(k), options);
  Array out(q.shape(), float32), lse({problem.p.B, problem.p.H, problem.p.T}, float32);
  kernels::attention(problem.p, at.q.view(q.value()), at.kv.view(k.value()), at.kv.view(v.value()),
                     at.q.view_mutable(out), lse.mutable_data<float>());
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
            return at.q.together(
                composed::attention(at.q.apart(in[0]), at.kv.apart(in[1]), at.kv.apart(in[2]), settings));
          },
          {q(), k(), v(), bias()}, g);
    }
    const Problem same(at, q(), at.kv.tokens(k()), settings);
    Array dq(q().shape(), float32), dk(k().shape(), float32), dv(v().shape(), float32), d_bias;
    if (wanted[3]) d_bias = Array::zeros(bias().shape(), float32);
    kernels::attention_grad(same.p, at.q.view(q().value()), at.kv.view(k().value()), at.kv.view(v().value()),
                            at.q.view(out), lse.data<float>(), at.q.view(g.value()), at.q.view_mutable(dq),
                            at.kv.view_mutable(dk), at.kv.view_mutable(dv),
                            wanted[3] ? d_bias.mutable_data<float>() : nullptr);
    return {Tensor(dq), Tensor(dk), Tensor(dv), wanted[3] ? Tensor(d_bias) : Tensor()};
  };
  return make_op("attention", out, {q, k, v, options.bias}, rule);
}

/// ShapeError unless q, k and v fit together.
Layouts layouts_of(const char* op, const Layout& at, const Tensor& q, const Tensor& k, const Tensor& v) {
  const int rank = at.side_by_side ? 3 : 4;
  Layout kv = at;
  bool fits = q.rank() == rank && k.rank() == rank && k.shape() == v.shape() && q.dim(0) == k.dim(0);
  if (fits) {
    const int64_t width = at.width(q);
    if (!at.side_by_side) kv.heads = k.dim(1);
    if (at.side_by_side && width > 0) kv.heads = k.dim(2) / width;
    fits = k.dim(-1) == (at.side_by_side ? kv.heads * width : width) &&
           (kv.heads == at.heads || (kv.heads > 0 && kv.heads < at.heads && at.heads % kv.heads == 0));
  }
  if (!fits) {
    fail<ShapeError>(op, ": q is ", q.shape(), ", k ", k.shape(), ", v ", v.shape(), ": needs q (B, ",
                     at.side_by_side ? cat("T, H D) with H = ", at.heads) : "H, T, D)", ", k and v (B, ",
                     at.side_by_side ? "S, G D)" : "G, S, D)", ", where G is H or divides it");
  }
  return {at, kv};
}

void check_slopes(const char* op, const AttentionOptions& options, int64_t heads) {
  if (!options.slopes.empty() && static_cast<int64_t>(options.slopes.size()) != heads)
    fail<ShapeError>(op, ": ", options.slopes.size(), " slopes for ", heads, " heads");
}

Tensor attention(const char* op, const Layout& queries, const Tensor& q, const Tensor& k, const Tensor& v,
                 const AttentionOptions& options) {
  const Layouts at = layouts_of(op, queries, q, k, v);
  const int64_t B = q.dim(0), H = at.q.heads, T = at.q.tokens(q), S = at.kv.tokens(k);
  options.mask.check(op, B, H, T, S);
  AttentionOptions settings = options;
  settings.bias = raised_bias(options.bias, B, H, T, S);
  if (!(options.dropout >= 0 && options.dropout < 1))
    fail<ValueError>(op, ": the dropout ", options.dropout, " is not in [0, 1)");
  check_slopes(op, options, H);
  if (options.dropout > 0) settings.draw = draw_of(op, options);
  const bool floats = q.dtype() == float32 && k.dtype() == float32 && v.dtype() == float32;
  if (floats && q.size() > 0 && k.size() > 0) return fused(at, q, k, v, settings);
  return at.q.together(composed::attention(at.q.apart(q), at.kv.apart(k), at.kv.apart(v), settings));
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
  const Layouts at = layouts_of("attention_weights", side_by_side("attention_weights", q, heads), q, k, k);
  const Tensor queries = at.q.apart(q), keys = at.kv.apart(k);
  AttentionOptions settings = options;
  settings.bias = raised_bias(options.bias, queries.dim(0), heads, queries.dim(2), keys.dim(2));
  settings.mask.check("attention_weights", queries.dim(0), heads, queries.dim(2), keys.dim(2));
  check_slopes("attention_weights", options, heads);
  return composed::attention_weights(queries, keys, settings).value();
}

namespace {

/// `settings.mask` tells what of the cache each row holds.
Tensor attention_to(const char* op, const KeyValueCache& cache, const Layouts& at, const Tensor& q,
                    AttentionOptions settings) {
  const int64_t S = cache.length();
  settings.bias = raised_bias(settings.bias, q.dim(0), at.q.heads, q.dim(1), S);
  if (q.dtype() != float32) {
    const auto held = [&](const Array& room) { return Tensor(kernels::slice(room, 1, 0, S)); };
    return attention(op, at.q, q, held(cache.keys()), held(cache.values()), settings);
  }
  const Problem problem(at, q, S, settings);
  Array out(q.shape(), float32), lse({problem.p.B, problem.p.H, problem.p.T}, float32);
  kernels::attention(problem.p, at.q.view(q.value()), at.kv.view(cache.keys()), at.kv.view(cache.values()),
                     at.q.view_mutable(out), lse.mutable_data<float>());
  return Tensor(out);
}

}  // namespace

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

Tensor cached_attention(const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads,
                        KeyValueCache& cache, std::span<const int64_t> lengths,
                        const AttentionOptions& options) {
  const NoGrad no_grad;
  const char* const op = "cached_attention";
  const Layouts at = layouts_of(op, side_by_side(op, q, heads), q, k, v);
  if (q.dim(1) != k.dim(1))
    fail<ShapeError>(op, ": q is ", q.shape(), ", k ", k.shape(), ": needs as many tokens in both");
  const Mask& mask = options.mask;
  if (!mask.key_lengths.empty() || mask.allow.defined() || mask.causal_offset != 0 ||
      !mask.causal_offsets.empty())
    fail<ValueError>(op, ": offsets, lengths and what is allowed come of the cache, not of a mask");
  check_slopes(op, options, heads);
  AttentionOptions settings = options;
  settings.mask.is_causal = true;
  settings.mask.causal_offset = cache.length();
  if (!cache.even()) settings.mask.causal_offsets = cache.lengths();
  cache.append(k.value(), v.value(), lengths);
  if (!cache.even()) settings.mask.key_lengths = cache.lengths();
  return attention_to(op, cache, at, q, settings);
}

Tensor memory_attention(const Tensor& q, int64_t heads, const KeyValueCache& memory,
                        const AttentionOptions& options) {
  const NoGrad no_grad;
  const char* const op = "memory_attention";
  if (!memory.keys().defined()) fail<StateError>(op, ": the memory was never given values");
  const Tensor keys(memory.keys());
  const Layouts at = layouts_of(op, side_by_side(op, q, heads), q, keys, keys);
  if (!options.mask.empty()) fail<ValueError>(op, ": lengths come of the memory, not of a mask");
  check_slopes(op, options, heads);
  AttentionOptions settings = options;
  if (!memory.even()) settings.mask.key_lengths = memory.lengths();
  return attention_to(op, memory, at, q, settings);
}

}  // namespace weft
