// Matrix products.
#pragma once

#include <weft/autograd/tensor.h>

#include <initializer_list>
#include <vector>

namespace weft {

/// a (..., m, k) b (..., k, n) -> (..., m, n); leading axes broadcast. As in PyTorch a one-axis operand is a
/// row on the left, a column on the right, and its axis is not in the result. ShapeError for scalars and for
/// inner extents that differ.
Tensor matmul(const Tensor& a, const Tensor& b);
/// The same with the last two axes of an operand exchanged, without moving them; both ranks at least 2.
Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b);
/// y = x weight^T + bias with x (..., I), weight (O, I), bias (O) or undefined -> (..., O). In float32 the
/// gradients of weight and bias are running sums over the rows in order. A weight that quantize_int8() (autograd/int8.h) made
/// integers has no gradient, nor has x beside it (StateError where one would be recorded).
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

struct LinearWeights {
  const Tensor &weight, &bias;  ///< as for linear()
};
/// linear() of the same x by each of the weights, with its bits; in decoding all of them in one loop, in
/// which threads wait for each other once.
std::vector<Tensor> linears(const Tensor& x, std::initializer_list<LinearWeights> weights);

}  // namespace weft
