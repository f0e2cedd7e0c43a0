// Scores of additive attention, row by row; kernels/fused/additive_attention.h has the formula.
#pragma once

#include <cstdint>

namespace weft::isa {

struct AdditiveAttentionFunctions {
  /// sum of v tanh(q + k) over n: 16 partial sums joined by reduce_add's tree.
  float (*score)(const float* q, const float* k, const float* v, int64_t n);
  /// From ds, the gradient of that: dq and dk += ds v tanh'(q + k), dv += ds tanh(q + k).
  void (*score_grad)(const float* q, const float* k, const float* v, float ds, float* dq, float* dk,
                     float* dv, int64_t n);
};

}  // namespace weft::isa
