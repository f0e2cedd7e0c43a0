#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/elementwise/dropout.h>
#include <weft/lib/kernels/fused/attention.h>
#include <weft/lib/kernels/fused/head_rows_internal.h>
#include <weft/lib/kernels/scratch.h>
#include <weft/lib/kernels/tiles.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

#include <algorithm>
#include <vector>

namespace weft::kernels {
namespace {

constexpr int64_t key_tile = 64;  // keys are looked at by tiles, of which some may be masked
constexpr int64_t score_block = isa::AttentionFunctions::score_block;

const isa::AttentionFunctions& functions() { return isa::table().attention; }

int64_t own_scratch(int64_t D) { return (functions().scratch(D) + 15) / 16 * 16; }

isa::ElementwiseFunctions::Dropout dropout_of(const AttentionProblem& x, const Document& of, int64_t h) {
  isa::ElementwiseFunctions::Dropout drop = vector_dropout(x.dropout, x.dropout_key);
  drop.sample = x.first_sample + static_cast<uint64_t>(of.row);
  drop.first = static_cast<uint64_t>((h * x.T + of.first) * ((x.S + 63) / 64 * 64));
  return drop;
}

/// Where the queries and keys of a document meet in a mask or a bias (T, S).
int64_t corner(const AttentionProblem& x, const Document& of) { return of.first * x.S + of.first; }

int64_t keys_of(const AttentionProblem& x, const Document& of) {
  return x.documents.empty() ? x.S : of.tokens;
}

int64_t offset_of(const AttentionProblem& x, const Document& of) {
  return x.causal_offsets ? x.causal_offsets[of.row] : x.causal_offset;
}

/// One head of a document, which is a whole row where none are given.
isa::AttentionHead head(const AttentionProblem& x, const Document& of, int64_t h, isa::ConstRows q,
                        isa::ConstRows k, isa::ConstRows v) {
  const int64_t b = of.row, first = of.first, S = keys_of(x, of);
  return {
      .S = S,
      .D = x.D,
      .keys = x.key_lengths ? std::clamp<int64_t>(x.key_lengths[b] - first, 0, S) : S,
      .scale = static_cast<float>(x.scale),
      .causal = x.causal,
      .causal_offset = offset_of(x, of),
      .window = x.causal ? x.window : 0,
      .slope = x.slopes ? x.slopes[h] : 0.0f,
      .q = q,
      .k = k,
      .v = v,
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

/// What attention was of, and what became of it.
template <class T>
struct Passed {
  HeadView<const T> q, k, v, out, d_out;
  const float* lse;

  /// Of all tokens of a head.
  isa::AttentionHead head_of(Rooms& rooms, const AttentionProblem& x, const Document& of, int64_t h) const {
    const int64_t tokens = of.tokens, keys = keys_of(x, of), shared = h / x.group;
    const isa::ConstRows own = rooms.read(q, of, h, tokens, 0, tokens);
    const isa::ConstRows key = rooms.read(k, of, shared, keys, 0, keys);
    return head(x, of, h, own, key, rooms.read(v, of, shared, keys, 0, keys));
  }
  isa::AttentionOutputs outputs(Rooms& rooms, const AttentionProblem& x, const Document& of,
                                int64_t h) const {
    const isa::ConstRows made = rooms.read(out, of, h, of.tokens, 0, of.tokens);
    return {made, rooms.read(d_out, of, h, of.tokens, 0, of.tokens),
            lse + (of.row * x.H + h) * x.T + of.first};
  }
  static int64_t rooms(const AttentionProblem& x) { return Rooms::floats<T>(3 * x.T + 2 * x.S, x.D); }
};

int64_t blocks_of(const Document& of, int64_t block) { return (of.tokens + block - 1) / block; }

/// Most queries, at most query_block(D), by which all threads find several blocks.
int64_t block_for_threads(const AttentionProblem& x, const std::vector<Document>& documents) {
  const auto blocks = [&](int64_t block) {
    int64_t sum = 0;
    for (const Document& of : documents) sum += x.H * blocks_of(of, block);
    return sum;
  };
  int64_t block = isa::AttentionFunctions::query_block(x.D);
  while (block > score_block && blocks(block) < 4 * num_threads()) block /= 2;
  return block;
}

/// Calls body(document, h, begin, end) for blocks of the queries of every document and head.
template <class Body>
void for_query_blocks(const AttentionProblem& x, const std::vector<Document>& documents, int64_t block,
                      Body body) {
  std::vector<int64_t> before = {0};  // blocks of the heads of all documents before
  for (const Document& of : documents) before.push_back(before.back() + x.H * blocks_of(of, block));
  parallel_for(before.back(), 1, [&](int64_t i, int64_t) {
    const auto at = static_cast<size_t>(std::ranges::upper_bound(before, i) - before.begin() - 1);
    const Document& of = documents[at];
    const int64_t blocks = blocks_of(of, block), in_document = i - before[at],
                  begin = in_document % blocks * block;
    body(of, in_document / blocks, begin, std::min(of.tokens, begin + block));
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
template <class T>
void bias_gradient(const AttentionProblem& x, const Passed<T>& passed, float* d_bias) {
  const Scratch scratch(own_scratch(x.D) + passed.rooms(x));
  const std::vector<Document> documents = documents_of(x);
  const int64_t shared_b = x.bias_batch == 0 ? x.B : 1, shared_h = x.bias_head == 0 ? x.H : 1;
  const int64_t groups = x.B / std::max<int64_t>(shared_b, 1) * (x.H / std::max<int64_t>(shared_h, 1));
  // Blocks of the same queries go to one thread; where documents are cut differently from row to row, all do.
  const int64_t blocks = x.documents.empty() ? (x.T + score_block - 1) / score_block : 1;
  parallel_for(groups * blocks, 1, [&](int64_t i, int64_t) {
    const int64_t group = i / blocks, by_head = x.H / shared_h;
    const int64_t first_b = group / by_head * shared_b, first_h = group % by_head * shared_h;
    for (const Document& of : documents) {
      if (of.row < first_b || of.row >= first_b + shared_b) continue;
      const int64_t first = x.documents.empty() ? i % blocks * score_block : 0;
      const int64_t last = x.documents.empty() ? std::min(x.T, first + score_block) : of.tokens;
      for (int64_t h = first_h; h < first_h + shared_h; ++h) {
        Rooms rooms(scratch.here() + own_scratch(x.D), x.D);
        const isa::AttentionHead here = passed.head_of(rooms, x, of, h);
        const isa::AttentionOutputs made = passed.outputs(rooms, x, of, h);
        for (int64_t begin = first; begin < last; begin += score_block)
          functions().bias_gradient(here, begin, std::min(last, begin + score_block), made,
                                    d_bias + of.row * x.bias_batch + h * x.bias_head + corner(x, of),
                                    scratch.here());
      }
    }
  });
}

/// into = the gradients (B, H, S, D) of k or v that each head has for itself, added over each group in order.
template <class T>
void add_groups(const AttentionProblem& x, const Array& each, HeadView<T> into) {
  const float* const from = each.data<float>();
  const int64_t shared = x.H / x.group, head_size = x.S * x.D;
  const Scratch scratch(Rooms::floats<T>(x.S, x.D));
  parallel_for(x.B * shared, 1, [&](int64_t i, int64_t) {
    const Document row{i / shared, 0, x.S};
    Rooms rooms(scratch.here(), x.D);
    const isa::Rows to = rooms.place(into, row, i % shared, x.S);
    for (int64_t s = 0; s < x.S; ++s) {
      float* const sum = to.data + s * to.token;
      const float* const first = from + i * x.group * head_size + s * x.D;
      std::copy_n(first, x.D, sum);
      for (int64_t h = 1; h < x.group; ++h)
        for (int64_t d = 0; d < x.D; ++d) sum[d] += first[h * head_size + d];
    }
    rooms.put(into, row, i % shared, to, 0, x.S);
  });
}

}  // namespace

template <class T>
void attention(const AttentionProblem& x, HeadView<const T> q, HeadView<const T> k, HeadView<const T> v,
               HeadView<T> out, float* lse) {
  const KernelScope profile("attention", [&] { return work_of(x, 2, 2); });
  const int64_t own = own_scratch(x.D);
  const Scratch scratch(own + Rooms::floats<T>(2 * x.T + 2 * x.S, x.D));
  const std::vector<Document> documents = documents_of(x);
  for_query_blocks(x, documents, block_for_threads(x, documents),
                   [&](const Document& of, int64_t h, int64_t begin, int64_t end) {
                     Rooms rooms(scratch.here() + own, x.D);
                     const int64_t keys = keys_of(x, of), shared = h / x.group;
                     const int64_t seen =
                         x.causal ? std::clamp<int64_t>(round_up(offset_of(x, of) + end, key_tile), 0, keys)
                                  : keys;
                     const isa::ConstRows queries = rooms.read(q, of, h, of.tokens, begin, end);
                     const isa::ConstRows key = rooms.read(k, of, shared, keys, 0, seen);
                     const isa::ConstRows value = rooms.read(v, of, shared, keys, 0, seen);
                     const isa::Rows to = rooms.place(out, of, h, of.tokens);
                     functions().forward(head(x, of, h, queries, key, value), begin, end, to,
                                         lse + (of.row * x.H + h) * x.T + of.first, scratch.here());
                     rooms.put(out, of, h, to, begin, end);
                   });
}
template void attention(const AttentionProblem&, HeadView<const float>, HeadView<const float>,
                        HeadView<const float>, HeadView<float>, float*);
template void attention(const AttentionProblem&, HeadView<const BFloat16>, HeadView<const BFloat16>,
                        HeadView<const BFloat16>, HeadView<BFloat16>, float*);

template <class T>
void attention_grad(const AttentionProblem& x, HeadView<const T> q, HeadView<const T> k, HeadView<const T> v,
                    HeadView<const T> out, const float* lse, HeadView<const T> d_out, HeadView<T> dq,
                    HeadView<T> dk, HeadView<T> dv, float* d_bias) {
  const KernelScope profile("attention_grad", [&] { return work_of(x, 5, 4); });
  const Passed<T> passed{q, k, v, out, d_out, lse};
  const int64_t own = own_scratch(x.D);
  const Scratch scratch(own + passed.rooms(x) + Rooms::floats<T>(x.T + 2 * x.S, x.D));
  // Heads of a group run at the same time, each into arrays of its own.
  const bool grouped = x.group > 1;
  const Shape all{x.B, x.H, x.S, x.D};
  Array each_dk = grouped ? Array(all, float32) : Array(), each_dv = grouped ? Array(all, float32) : Array();
  const auto view = [&](Array& of) {
    return HeadView<float>{grouped ? of.mutable_data<float>() : nullptr, x.H * x.S * x.D, x.S * x.D, x.D};
  };
  const HeadView<float> each_k = view(each_dk), each_v = view(each_dv);
  const std::vector<Document> documents = documents_of(x);
  parallel_for(static_cast<int64_t>(documents.size()) * x.H, 1, [&](int64_t i, int64_t) {
    const Document& of = documents[static_cast<size_t>(i / x.H)];
    const int64_t h = i % x.H, keys = keys_of(x, of);
    Rooms rooms(scratch.here() + own, x.D);
    const isa::AttentionHead here = passed.head_of(rooms, x, of, h);
    const isa::AttentionOutputs made = passed.outputs(rooms, x, of, h);
    const isa::Rows to_q = rooms.place(dq, of, h, of.tokens);
    const isa::Rows to_k = grouped ? rooms.place(each_k, of, h, keys) : rooms.place(dk, of, h, keys);
    const isa::Rows to_v = grouped ? rooms.place(each_v, of, h, keys) : rooms.place(dv, of, h, keys);
    functions().backward(here, of.tokens, made, to_q, to_k, to_v, scratch.here());
    rooms.put(dq, of, h, to_q, 0, of.tokens);
    if (grouped) return;
    rooms.put(dk, of, h, to_k, 0, keys);
    rooms.put(dv, of, h, to_v, 0, keys);
  });
  if (grouped) {
    add_groups(x, each_dk, dk);
    add_groups(x, each_dv, dv);
  }
  if (d_bias) bias_gradient(x, passed, d_bias);
}
template void attention_grad(const AttentionProblem&, HeadView<const float>, HeadView<const float>,
                             HeadView<const float>, HeadView<const float>, const float*,
                             HeadView<const float>, HeadView<float>, HeadView<float>, HeadView<float>,
                             float*);
template void attention_grad(const AttentionProblem&, HeadView<const BFloat16>, HeadView<const BFloat16>,
                             HeadView<const BFloat16>, HeadView<const BFloat16>, const float*,
                             HeadView<const BFloat16>, HeadView<BFloat16>, HeadView<BFloat16>,
                             HeadView<BFloat16>, float*);

void attention_weights(const AttentionProblem& x, HeadView<const float> q, HeadView<const float> k,
                       const float* lse, float* weights) {
  const KernelScope profile("attention_weights", [&] { return work_of(x, 1, 1); });
  const Scratch scratch(own_scratch(x.D));
  for_query_blocks(
      x, documents_of(x), score_block, [&](const Document& of, int64_t h, int64_t begin, int64_t end) {
        const int64_t slice = of.row * x.H + h;
        const isa::ConstRows queries = rows(q, of.row, h, of.first);
        functions().weights(head(x, of, h, queries, rows(k, of.row, h / x.group, of.first), queries), begin,
                            end, lse + slice * x.T, weights + slice * x.T * x.S, scratch.here());
      });
}

}  // namespace weft::kernels
