// Reductions. Along the last axis: 16 partial sums (element i goes to sum i % 16, each in order) joined by
// one fixed tree: those 8 apart, then 4, 2 and 1. Rows longer than 65,536 are cut into tiles of that many,
// whose sums are added in order. Along other axes: one chain per output, in index order. Adjacent axes that
// are reduced together count as one; others are reduced from the last to the first. So no result depends on
// threads or vector width, and a reduction over samples can go on across micro-batches.
#pragma once

#include <weft/lib/array/array.h>

#include <span>
#include <vector>

namespace weft::kernels {

/// The axes as a sorted list of distinct indices in [0, rank); empty means all. ShapeError that names `op`.
std::vector<int> normal_axes(const char* op, std::span<const int> axes, int rank);

/// Sums over `axes` (empty: all). keepdim leaves extents of 1. Float sums are float, of bfloat16 too; integers and bool sum to
/// int64.
Array sum(const Array& x, std::span<const int> axes, bool keepdim);
/// Largest value over `axes`; NaN if any is. ShapeError over no elements.
Array max(const Array& x, std::span<const int> axes, bool keepdim);
/// int64 index of the first largest value along one axis.
Array argmax(const Array& x, int axis, bool keepdim);

/// The reverse of broadcasting: sums `x` down to `shape`, as accumulate_to does onto zeros; x itself when it
/// has that shape. ShapeError when `shape` does not broadcast to x's.
Array sum_to(const Array& x, const Shape& shape);
/// into += sum_to(x, into.shape()). The leading axes that `into` lacks go on as one chain from the value
/// already there, axis 0 even when nothing at all is kept; axes further in are reduced before. So a batch in
/// parts gives the bits of the batch at once. TypeError when `into` has not the type of sum(x).
void accumulate_to(Array& into, const Array& x);

/// Sum of squares in double: tiles of 65,536 elements, 16 partial sums each, tiles added in order.
double squared_norm(const Array& x);
/// Largest absolute value; NaN if any is. 0 for no elements.
double max_abs(const Array& x);

}  // namespace weft::kernels
