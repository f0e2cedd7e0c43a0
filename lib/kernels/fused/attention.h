// Scaled dot-product attention in tiles (online softmax: Milakov and Gimelshein 2018; FlashAttention: Dao et
// al. 2022), float32. Memory grows with T, not T squared.
//
// Keys are walked in tiles of 64 by absolute position from 0; each row keeps its own running maximum; a
// masked key is an exact no-op. So one query with a cache of keys gives the bits of the same row in a full
// pass, and keys of padding on the right change nothing. DocumentBegins that share a row are walked each
// from its own first key, so that one has the bits that it has in a row of its own, and costs no more. A row that may attend to nothing gives zeros and
// zero gradients.
#pragma once

#include <weft/lib/array/documents.h>
#include <weft/lib/array/random.h>

#include <cstdint>
#include <span>

namespace weft::kernels {

/// Element (b, h, t, d) at data[b * batch + h * head + t * token + d]: heads are read in place,
/// from (B, H, T, D) or from (B, T, H * D) alike.
template <class T>
struct HeadView {
  T* data;
  int64_t batch, head, token;
};

struct AttentionProblem {
  int64_t B, H, T, S, D;  ///< batch, heads, queries, keys, head width
  double scale;           ///< scores are scale q.k + bias - slope distance
  int64_t group = 1;      ///< divides H: head h reads head h / group of k and v
  bool causal = false;    ///< query t may attend to keys 0 .. causal_offset + t
  int64_t causal_offset = 0;
  const int64_t* causal_offsets = nullptr;  ///< (B) instead of the one, or null
  int64_t window = 0;                       ///< > 0, with causal: of those, to the last `window` alone
  const float* slopes = nullptr;            ///< (H) or null: scores - slopes[h] |s - causal_offset - t|
  const int64_t* key_lengths = nullptr;     ///< (B) or null: keys from there on are padding
  /// All of B rows in order, tokens of which attend inside their own alone, S being T and the offset 0; empty: each
  /// row is one. `t` and `s` of places, distances and the causal order count from where the document begins; those of
  /// `allowed`, `bias` and key_lengths from where the row does.
  std::span<const Document> documents = {};
  const bool* allowed =
      nullptr;  ///< or null: true = may attend, at [b * allowed_batch + h * allowed_head + t * S + s]
  int64_t allowed_batch = 0, allowed_head = 0;  ///< 0 where the mask is shared
  const float* bias = nullptr;                  ///< or null: added to the scaled scores, indexed the same way
  int64_t bias_batch = 0, bias_head = 0;
  double dropout = 0;  ///< probability that a weight is dropped, as kernels::dropout of the weights would
  RandomKey dropout_key = {};  ///< do: weight (h, t, s) of sample b is place ((h T + t) S64 + s), S64 being S
  uint64_t first_sample = 0;  ///< rounded up to a multiple of 64, of sample first_sample + b; t counts in the
                              ///< row, s in the document
};

/// T is float, or BFloat16, which is computed with in floats and rounded once.
/// out (like q) and lse (B, H, T): log of the sum of exp(scores) of each row, -inf for a row that attends to
/// nothing.
template <class T>
void attention(const AttentionProblem& problem, HeadView<const T> q, HeadView<const T> k, HeadView<const T> v,
               HeadView<T> out, float* lse);

/// dq, dk, dv overwritten, dk and dv with the sums over the heads of a group in order; d_bias, if not null,
/// receives d scores added over the axes on which the bias is shared (batch, head strides 0) in order of
/// sample, then head, from the value already there.
template <class T>
void attention_grad(const AttentionProblem& problem, HeadView<const T> q, HeadView<const T> k,
                    HeadView<const T> v, HeadView<const T> out, const float* lse, HeadView<const T> d_out,
                    HeadView<T> dq, HeadView<T> dk, HeadView<T> dv, float* d_bias);

/// The weights themselves, (B, H, T, S): for looking at, not for training. Without documents.
void attention_weights(const AttentionProblem& problem, HeadView<const float> q, HeadView<const float> k,
                       const float* lse, float* weights);

}  // namespace weft::kernels
