// Picking elements by index. Indices are arrays of integers: they have no gradient.
#pragma once

#include <weft/autograd/tensor.h>

namespace weft {

/// Rows of a table: weight (V, C), ids (...) int32 or int64 -> (..., C). ValueError names the first id
/// outside [0, V). The gradient of each row is one chain over the ids in order.
Tensor embedding(const Array& ids, const Tensor& weight);
/// y[i][j] = x[i][index[i][j]] for axis 1 (PyTorch's gather); index int64 of x's rank.
Tensor gather(const Tensor& x, int axis, const Array& index);
/// Zeros of `shape` with x's elements added at `index`: the gradient of gather.
Tensor scatter_add(const Tensor& x, const Shape& shape, int axis, const Array& index);

}  // namespace weft
