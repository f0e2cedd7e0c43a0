#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/elementwise/dropout.h>
#include <weft/lib/kernels/fused/attention.h>
#include <weft/lib/kernels/scratch.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace weft::kernels {
namespace {

constexpr int64_t query_block = isa::AttentionFunctions::query_block;

const isa::AttentionFunctions& functions() { return isa::table().attention; }

Scratch scratch_for(int64_t D) { return Scratch(functions().scratch(D)); }

/// Those of one sample and head, from token `first` on.
isa::ConstRows rows(HeadView<const float> x, int64_t b, int64_t h, int64_t first = 0) {
  return {x.data + b * x.batch + h * x.head + first * x.token, x.token};
}
isa::Rows rows(HeadView<float> x, int64_t b, int64_t h, int64_t first = 0) {
  return {x.data + b * x.batch + h * x.head + first * x.token, x.token};
}

isa::ElementwiseFunctions::Dropout dropout_of(const AttentionProblem& x, const Document& of, int64_t h) {
  isa::ElementwiseFunctions::Dropout drop = vector_dropout(x.dropout, x.dropout_key);
  drop.sample = x.first_sample + static_cast<uint64_t>(of.row);
  drop.first = static_cast<uint64_t>((h * x.T + of.first) * ((x.S + 63) / 64 * 64));
  return drop;
}

/// Where the queries and keys of a document meet in a mask or a bias (T, S).
int64_t corner(const AttentionProblem& x, const Document& of) { return of.first * x.S + of.first; }

/// One head of a document, which is a whole row where none are given.
isa::AttentionHead head(const AttentionProblem& x, const Document& of, int64_t h, HeadView<const float> q,
                        HeadView<const float> k, HeadView<const float> v) {
  const int64_t b = of.row, first = of.first, S = x.documents.empty() ? x.S : of.tokens;
  return {
      .S = S,
      .D = x.D,
      .keys = x.key_lengths ? std::clamp<int64_t>(x.key_lengths[b] - first, 0, S) : S,
      .scale = static_cast<float>(x.scale),
      .causal = x.causal,
      .causal_offset = x.causal_offsets ? x.causal_offsets[b] : x.causal_offset,
      .window = x.causal ? x.window : 0,
      .slope = x.slopes ? x.slopes[h] : 0.0f,
      .q = rows(q, b, h, first),
      .k = rows(k, b, h / x.group, first),
      .v = rows(v, b, h / x.group, first),
      .allowed = x.allowed ? x.allowed + b * x.allowed_batch + h * x.allowed_head + corner(x, of) : nullptr,
      .bias = x.bias ? x.bias + b * x.bias_batch + h * x.bias_head + corner(x, of) : nullptr,
      .row = x.S,
      .drops = x.dropout > 0,
      .dropout = dropout_of(x, of, h)};
}

std::vector<Document> documents_of(const AttentionProblem& x) {
  if (!x.documents.empty()) return {x.documents.begin(), x.documents.end()};
  return weft::documents_of({}, x.B, x.T);
}

/// What the forward pass left of a head, and the gradient of it.
isa::AttentionOutputs outputs(const AttentionProblem& x, const Document& of, int64_t h,
                              HeadView<const float> out, HeadView<const float> d_out, const float* lse) {
  return {rows(out, of.row, h, of.first), rows(d_out, of.row, h, of.first),
          lse + (of.row * x.H + h) * x.T + of.first};
}

int64_t blocks_of(const Document& of) { return (of.tokens + query_block - 1) / query_block; }

/// Calls body(document, h, begin, end) for blocks of the queries of every document and head.
template <class Body>
void for_query_blocks(const AttentionProblem& x, Body body) {
  const std::vector<Document> documents = documents_of(x);
  std::vector<int64_t> before = {0};  // blocks of the heads of all documents before
  for (const Document& of : documents) before.push_back(before.back() + x.H * blocks_of(of));
  parallel_for(before.back(), 1, [&](int64_t i, int64_t) {
    const auto at = static_cast<size_t>(std::ranges::upper_bound(before, i) - before.begin() - 1);
    const Document& of = documents[at];
    const int64_t blocks = blocks_of(of), in_document = i - before[at],
                  begin = in_document % blocks * query_block;
    body(of, in_document / blocks, begin, std::min(of.tokens, begin + query_block));
  });
}

/// For the profiler: the arithmetic of `products` products of queries with the keys that they may attend to,
/// and the bytes of `arrays` arrays like q and as many like k, whose shapes it names.
KernelWork work_of(const AttentionProblem& x, int64_t products, int64_t arrays) {
  int64_t pairs = 0;
  const auto add = [&](int64_t T, int64_t S, int64_t times) {
    if (!x.causal) pairs += times * T * S;
    for (int64_t t = 0; x.causal && t < T; ++t) {
      const int64_t seen = std::clamp<int64_t>(x.causal_offset + t + 1, 0, S);
      pairs += times * (x.window > 0 ? std::min(seen, x.window) : seen);
    }
  };
  if (x.documents.empty()) add(x.T, x.S, x.B);
  for (const Document& of : x.documents) add(of.tokens, of.tokens, 1);
  const int64_t shared = x.H / x.group;
  return {2 * products * x.H * pairs * x.D, 4 * arrays * x.B * (x.H * x.T + shared * x.S) * x.D,
          str(Shape{x.B, x.H, x.T, x.D}, " ", Shape{x.B, shared, x.S, x.D})};
}

/// The score gradients of all heads that share a bias are added to it by one thread, in order. They are
/// computed a second time for that, which costs two products, only where a bias is learned.
void bias_gradient(const AttentionProblem& x, HeadView<const float> q, HeadView<const float> k,
                   HeadView<const float> v, HeadView<const float> out, const float* lse,
                   HeadView<const float> d_out, float* d_bias) {
  const Scratch scratch = scratch_for(x.D);
  const std::vector<Document> documents = documents_of(x);
  const int64_t shared_b = x.bias_batch == 0 ? x.B : 1, shared_h = x.bias_head == 0 ? x.H : 1;
  const int64_t groups = x.B / std::max<int64_t>(shared_b, 1) * (x.H / std::max<int64_t>(shared_h, 1));
  // Blocks of the same queries go to one thread; where documents are cut differently from row to row, all do.
  const int64_t blocks = x.documents.empty() ? (x.T + query_block - 1) / query_block : 1;
  parallel_for(groups * blocks, 1, [&](int64_t i, int64_t) {
    const int64_t group = i / blocks, by_head = x.H / shared_h;
    const int64_t first_b = group / by_head * shared_b, first_h = group % by_head * shared_h;
    for (const Document& of : documents) {
      if (of.row < first_b || of.row >= first_b + shared_b) continue;
      const int64_t first = x.documents.empty() ? i % blocks * query_block : 0;
      const int64_t last = x.documents.empty() ? std::min(x.T, first + query_block) : of.tokens;
      for (int64_t h = first_h; h < first_h + shared_h; ++h)
        for (int64_t begin = first; begin < last; begin += query_block)
          functions().bias_gradient(head(x, of, h, q, k, v), begin, std::min(last, begin + query_block),
                                    outputs(x, of, h, out, d_out, lse),
                                    d_bias + of.row * x.bias_batch + h * x.bias_head + corner(x, of),
                                    scratch.here());
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
  for_query_blocks(x, [&](const Document& of, int64_t h, int64_t begin, int64_t end) {
    functions().forward(head(x, of, h, q, k, v), begin, end, rows(out, of.row, h, of.first),
                        lse + (of.row * x.H + h) * x.T + of.first, scratch.here());
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
  const std::vector<Document> documents = documents_of(x);
  parallel_for(static_cast<int64_t>(documents.size()) * x.H, 1, [&](int64_t i, int64_t) {
    const Document& of = documents[static_cast<size_t>(i / x.H)];
    const int64_t b = of.row, h = i % x.H, first = of.first;
    functions().backward(head(x, of, h, q, k, v), of.tokens, outputs(x, of, h, out, d_out, lse),
                         rows(dq, b, h, first), rows(to_k, b, h, first), rows(to_v, b, h, first),
                         scratch.here());
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
  for_query_blocks(x, [&](const Document& of, int64_t h, int64_t begin, int64_t end) {
    const int64_t slice = of.row * x.H + h;
    functions().weights(head(x, of, h, q, k, q), begin, end, lse + slice * x.T, weights + slice * x.T * x.S,
                        scratch.here());
  });
}

}  // namespace weft::kernels
