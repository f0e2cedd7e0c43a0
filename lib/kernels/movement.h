// Moving elements: everything here copies, on any element type, and gives exact results.
#pragma once

#include <weft/lib/array/array.h>

#include <cstdint>
#include <span>
#include <vector>

namespace weft::kernels {

/// Axis i of the result is axis order[i] of x; `order` is a permutation of 0 .. rank - 1 (ShapeError
/// otherwise).
Array permute(const Array& x, std::span<const int> order);
/// Expands extents of 1, and new leading axes, to `shape`. ShapeError when x does not broadcast to it.
Array broadcast_to(const Array& x, const Shape& shape);
/// x[..., begin:end, ...] on one axis, 0 <= begin <= end <= extent (ShapeError otherwise).
Array slice(const Array& x, int axis, int64_t begin, int64_t end);
/// Zeros of `shape` with x written at [begin, begin + x.dim(axis)) of `axis`: the gradient of slice.
Array unslice(const Array& x, const Shape& shape, int axis, int64_t begin);
/// Joins along an axis; all other extents and the types equal, but that bfloat16 beside float32 becomes such. ShapeError for none.
Array cat(const std::vector<Array>& parts, int axis);

/// Rows of a table: weight (V, ...), ids int32 or int64 of any shape I -> I + (...). ValueError that names
/// the first id outside [0, V) and its place.
Array take_rows(const Array& weight, const Array& ids);
/// into[ids[n]] += rows[n] for n in order, so that each row of `into` is one chain over the ids. For float32
/// and float64.
void add_rows(Array& into, const Array& ids, const Array& rows);
/// PyTorch's gather: y[i][j][k] = x[i][index[i][j][k]][k] for axis 1. index (int64) has x's rank, and no
/// extent larger than x's on the other axes. ValueError for an index outside.
Array gather(const Array& x, int axis, const Array& index);
/// PyTorch's scatter_add on zeros of `shape`, each output one chain in index order: the gradient of gather.
/// For float32 and float64.
Array scatter_add(const Array& x, const Shape& shape, int axis, const Array& index);
/// 1 on and below the diagonal `offset` of (rows, columns), else 0: bool.
Array tril(int64_t rows, int64_t columns, int64_t offset = 0);

}  // namespace weft::kernels
