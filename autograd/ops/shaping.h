// Moving and joining elements. Values and gradients are exact.
#pragma once

#include <weft/autograd/ops/reduction.h>
#include <weft/autograd/tensor.h>

#include <initializer_list>
#include <vector>

namespace weft {

/// The same elements in row-major order under another shape; one extent may be -1. Shares the buffer.
Tensor reshape(const Tensor& x, std::initializer_list<int64_t> extents);
Tensor reshape(const Tensor& x, const Shape& shape);
/// reshape() by its other name. Every tensor is contiguous, so that it never fails for another reason.
Tensor view(const Tensor& x, std::initializer_list<int64_t> extents);
/// Axes first .. last as one, of the product of their extents; negative ones count from the last. A scalar
/// becomes (1). ShapeError when last comes before first.
Tensor flatten(const Tensor& x, int first = 0, int last = -1);
/// Without all axes of extent 1, or without one, which stays where its extent is another.
Tensor squeeze(const Tensor& x);
Tensor squeeze(const Tensor& x, int axis);
/// A new axis of extent 1 before `axis`; -1 puts it at the end.
Tensor unsqueeze(const Tensor& x, int axis);
/// The same values in a buffer of their own; gradients flow to x.
Tensor clone(const Tensor& x);
/// Axis i of the result is axis order[i] of x.
Tensor permute(const Tensor& x, const Axes& order);
/// Exchanges two axes.
Tensor transpose(const Tensor& x, int first, int second);
/// Repeats extents of 1, and adds leading axes, up to `shape`.
Tensor expand(const Tensor& x, const Shape& shape);
/// x[..., begin:end, ...] along an axis; negative bounds count from the end. ShapeError outside the axis.
Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end);
/// Joins along an existing axis, or along a new one. ShapeError when the other extents differ, or for no
/// parts.
Tensor cat(const std::vector<Tensor>& parts, int axis);
Tensor stack(const std::vector<Tensor>& parts, int axis = 0);
/// Cuts into parts of `size` along an axis; the last may be smaller. ValueError unless size is at least 1.
std::vector<Tensor> split(const Tensor& x, int64_t size, int axis = 0);
/// Cuts into `parts` parts along an axis, each of ceil(extent / parts) but the last, so that there may be
/// fewer. ValueError unless parts is at least 1.
std::vector<Tensor> chunk(const Tensor& x, int64_t parts, int axis = 0);
/// x's elements at [begin, begin + x.dim(axis)) of `axis` in zeros of `shape`: the gradient of slice.
Tensor unslice(const Tensor& x, const Shape& shape, int axis, int64_t begin);

}  // namespace weft
