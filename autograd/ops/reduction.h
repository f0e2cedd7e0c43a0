// Reductions over axes. An empty list of axes means all; negative axes count from the last; keepdim leaves
// extents of 1.
#pragma once

#include <weft/autograd/tensor.h>

namespace weft {

Tensor sum(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
/// sum / number of elements; NaN over none, as in PyTorch.
Tensor mean(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
/// Largest value; equal ones share the gradient equally (PyTorch's amax). ShapeError over no elements.
Tensor max(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
/// Smallest value, likewise (PyTorch's amin).
Tensor min(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
/// log sum exp(x), without overflow; -inf where all are -inf.
Tensor logsumexp(const Tensor& x, const Axes& axes, bool keepdim = false);
/// mean((x - mean)^2) n / (n - correction); correction 1 is Bessel's, PyTorch's default.
Tensor var(const Tensor& x, const Axes& axes = {}, bool keepdim = false, double correction = 1);
/// The reverse of expand: sums x down to `shape`, which must broadcast to x's.
Tensor sum_to(const Tensor& x, const Shape& shape);
/// int64 index of the first largest value along one axis.
Array argmax(const Tensor& x, int axis, bool keepdim = false);

}  // namespace weft
