#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/elementwise/dropout.h>
#include <weft/lib/kernels/fused/attention.h>
#include <weft/lib/kernels/scratch.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

#include <algorithm>
#include <memory>

namespace weft::kernels {
namespace {

constexpr int64_t query_block = isa::AttentionFunctions::query_block;

const isa::AttentionFunctions& functions() { return isa::table().attention; }

Scratch scratch_for(int64_t D) { return Scratch(functions().scratch(D)); }

isa::ConstRows rows(HeadView<const float> x, int64_t b, int64_t h) {
  return {x.data + b * x.batch + h * x.head, x.token};
}
isa::Rows rows(HeadView<float> x, int64_t b, int64_t h) {
  return {x.data + b * x.batch + h * x.head, x.token};
}

isa::ElementwiseFunctions::Dropout dropout_of(const AttentionProblem& x, int64_t b, int64_t h) {
  isa::ElementwiseFunctions::Dropout drop = vector_dropout(x.dropout, x.dropout_key);
  drop.sample = x.first_sample + static_cast<uint64_t>(b);
  drop.first = static_cast<uint64_t>(h * x.T * ((x.S + 63) / 64 * 64));
  return drop;
}

isa::AttentionHead head(const AttentionProblem& x, int64_t b, int64_t h, HeadView<const float> q,
                        HeadView<const float> k, HeadView<const float> v) {
  return {.S = x.S,
          .D = x.D,
          .keys = x.key_lengths ? std::clamp<int64_t>(x.key_lengths[b], 0, x.S) : x.S,
          .scale = static_cast<float>(x.scale),
          .causal = x.causal,
          .causal_offset = x.causal_offsets ? x.causal_offsets[b] : x.causal_offset,
          .window = x.causal ? x.window : 0,
          .slope = x.slopes ? x.slopes[h] : 0.0f,
          .q = rows(q, b, h),
          .k = rows(k, b, h / x.group),
          .v = rows(v, b, h / x.group),
          .allowed = x.allowed ? x.allowed + b * x.allowed_batch + h * x.allowed_head : nullptr,
          .bias = x.bias ? x.bias + b * x.bias_batch + h * x.bias_head : nullptr,
          .drops = x.dropout > 0,
          .dropout = dropout_of(x, b, h)};
}

/// Calls body(b, h, begin, end) for blocks of the queries of every sample and head.
template <class Body>
void for_query_blocks(int64_t B, int64_t H, int64_t T, Body body) {
  const int64_t blocks = (T + query_block - 1) / query_block;
  parallel_for(B * H * blocks, 1, [&](int64_t i, int64_t) {
    const int64_t begin = i % blocks * query_block, slice = i / blocks;
    body(slice / H, slice % H, begin, std::min(T, begin + query_block));
  });
}

/// For the profiler: the arithmetic of `products` products of queries with the keys that they may attend to,
/// and the bytes of `arrays` arrays like q and as many like k, whose shapes it names.
KernelWork work_of(const AttentionProblem& x, int64_t products, int64_t arrays) {
  int64_t pairs = x.causal ? 0 : x.T * x.S;
  for (int64_t t = 0; x.causal && t < x.T; ++t) {
    const int64_t seen = std::clamp<int64_t>(x.causal_offset + t + 1, 0, x.S);
    pairs += x.window > 0 ? std::min(seen, x.window) : seen;
  }
  const int64_t shared = x.H / x.group;
  return {2 * products * x.B * x.H * pairs * x.D, 4 * arrays * x.B * (x.H * x.T + shared * x.S) * x.D,
          str(Shape{x.B, x.H, x.T, x.D}, " ", Shape{x.B, shared, x.S, x.D})};
}

/// The score gradients of all heads that share a bias are added to it by one thread, in order. They are
/// computed a second time for that, which costs two products, only where a bias is learned.
void bias_gradient(const AttentionProblem& x, HeadView<const float> q, HeadView<const float> k,
                   HeadView<const float> v, HeadView<const float> out, const float* lse,
                   HeadView<const float> d_out, float* d_bias) {
  const Scratch scratch = scratch_for(x.D);
  const int64_t shared_b = x.bias_batch == 0 ? x.B : 1, shared_h = x.bias_head == 0 ? x.H : 1;
  for_query_blocks(x.B / std::max<int64_t>(shared_b, 1), x.H / std::max<int64_t>(shared_h, 1), x.T,
                   [&](int64_t first_b, int64_t first_h, int64_t begin, int64_t end) {
                     for (int64_t b = first_b; b < first_b + shared_b; ++b)
                       for (int64_t h = first_h; h < first_h + shared_h; ++h) {
                         functions().bias_gradient(
                             head(x, b, h, q, k, v), begin, end,
                             {rows(out, b, h), rows(d_out, b, h), lse + (b * x.H + h) * x.T},
                             d_bias + b * x.bias_batch + h * x.bias_head, scratch.here());
                       }
                   });
}

/// into = the gradients (B, H, S, D) of k or v that each head has for itself, added over each group in order.
void add_groups(const AttentionProblem& x, const Array& each, HeadView<float> into) {
  const float* const from = each.data<float>();
  const int64_t shared = x.H / x.group, head_size = x.S * x.D;
  parallel_for(x.B * shared, 1, [&](int64_t i, int64_t) {
    const isa::Rows to = rows(into, i / shared, i % shared);
    for (int64_t s = 0; s < x.S; ++s) {
      float* const sum = to.data + s * to.token;
      const float* const first = from + i * x.group * head_size + s * x.D;
      std::copy_n(first, x.D, sum);
      for (int64_t h = 1; h < x.group; ++h)
        for (int64_t d = 0; d < x.D; ++d) sum[d] += first[h * head_size + d];
    }
  });
}

}  // namespace

void attention(const AttentionProblem& x, HeadView<const float> q, HeadView<const float> k,
               HeadView<const float> v, HeadView<float> out, float* lse) {
  const KernelScope profile("attention", [&] { return work_of(x, 2, 2); });
  const Scratch scratch = scratch_for(x.D);
  for_query_blocks(x.B, x.H, x.T, [&](int64_t b, int64_t h, int64_t begin, int64_t end) {
    functions().forward(head(x, b, h, q, k, v), begin, end, rows(out, b, h), lse + (b * x.H + h) * x.T,
                        scratch.here());
  });
}

void attention_grad(const AttentionProblem& x, HeadView<const float> q, HeadView<const float> k,
                    HeadView<const float> v, HeadView<const float> out, const float* lse,
                    HeadView<const float> d_out, HeadView<float> dq, HeadView<float> dk, HeadView<float> dv,
                    float* d_bias) {
  const KernelScope profile("attention_grad", [&] { return work_of(x, 5, 4); });
  const Scratch scratch = scratch_for(x.D);
  // Heads of a group run at the same time, each into arrays of its own.
  const bool grouped = x.group > 1;
  Array each_dk, each_dv;
  HeadView<float> to_k = dk, to_v = dv;
  if (grouped) {
    each_dk = Array({x.B, x.H, x.S, x.D}, float32), each_dv = Array({x.B, x.H, x.S, x.D}, float32);
    to_k = {each_dk.mutable_data<float>(), x.H * x.S * x.D, x.S * x.D, x.D};
    to_v = {each_dv.mutable_data<float>(), x.H * x.S * x.D, x.S * x.D, x.D};
  }
  parallel_for(x.B * x.H, 1, [&](int64_t i, int64_t) {
    const int64_t b = i / x.H, h = i % x.H;
    functions().backward(head(x, b, h, q, k, v), x.T, {rows(out, b, h), rows(d_out, b, h), lse + i * x.T},
                         rows(dq, b, h), rows(to_k, b, h), rows(to_v, b, h), scratch.here());
  });
  if (grouped) {
    add_groups(x, each_dk, dk);
    add_groups(x, each_dv, dv);
  }
  if (d_bias) bias_gradient(x, q, k, v, out, lse, d_out, d_bias);
}

void attention_weights(const AttentionProblem& x, HeadView<const float> q, HeadView<const float> k,
                       const float* lse, float* weights) {
  const KernelScope profile("attention_weights", [&] { return work_of(x, 1, 1); });
  const Scratch scratch = scratch_for(x.D);
  for_query_blocks(x.B, x.H, x.T, [&](int64_t b, int64_t h, int64_t begin, int64_t end) {
    const int64_t slice = b * x.H + h;
    functions().weights(head(x, b, h, q, k, q), begin, end, lse + slice * x.T, weights + slice * x.T * x.S,
                        scratch.here());
  });
}

}  // namespace weft::kernels
