// Scores of additive attention (Bahdanau et al. 2015, section A.1.2): how well each key fits each query.
#pragma once

#include <weft/autograd/tensor.h>

namespace weft {

/// score[t][s] = sum over a of v[a] tanh(q[t][a] + k[s][a]): q (B, T, A), k (B, S, A), v (A) -> (B, T, S).
/// ShapeError names all three.
Tensor additive_scores(const Tensor& q, const Tensor& k, const Tensor& v);

}  // namespace weft
