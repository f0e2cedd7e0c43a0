// Scores of additive attention (Bahdanau et al. 2015), float32:
//   score[t][s] = sum over a of v[a] tanh(q[t][a] + k[s][a]),
// nothing of size T S A being stored.
#pragma once

#include <weft/lib/array/array.h>

namespace weft::kernels {

/// q (B, T, A), k (B, S, A), v (A) -> (B, T, S).
Array additive_scores(const Array& q, const Array& k, const Array& v);

struct AdditiveScoresGradients {
  Array q, k;  ///< one chain over s, over t
  Array v;     ///< (B, A): that of each sample, one chain over t and s
};
/// From ds (B, T, S). Where it is 0, as at masked keys, neither q nor k is read.
AdditiveScoresGradients additive_scores_grad(const Array& q, const Array& k, const Array& v, const Array& ds);

}  // namespace weft::kernels
