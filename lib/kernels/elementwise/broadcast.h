// Broadcast operands, dense in memory, walked together in the row-major order of the result.
#pragma once

#include <weft/lib/array/shape.h>
#include <weft/lib/kernels/strides.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace weft::kernels {

/// Elements of one tile of an elementwise loop.
inline constexpr int64_t elementwise_tile = 1 << 13;

/// Axes that lie behind each other in every operand are merged, so that equal shapes, numbers, and operands
/// that lack leading or trailing axes become one or two loops. In a run along the last axis an operand either
/// advances by one or stands still.
template <size_t count>
class Broadcast {
 public:
  /// Each operand broadcasts to `shape`.
  Broadcast(const Shape& shape, const std::array<const Shape*, count>& operands) {
    std::array<Strides, count> strides{};
    for (size_t k = 0; k < count; ++k) {
      const int missing = shape.rank() - operands[k]->rank();
      const Strides dense = dense_strides(*operands[k]);
      for (int i = missing; i < shape.rank(); ++i)
        if ((*operands[k])[i - missing] != 1)
          strides[k][static_cast<size_t>(i)] = dense[static_cast<size_t>(i - missing)];
    }
    for (int i = shape.rank() - 1; i >= 0; --i) {
      if (shape[i] == 1) continue;
      std::array<int64_t, count> axis{};
      for (size_t k = 0; k < count; ++k) axis[k] = strides[k][static_cast<size_t>(i)];
      add_outer_axis(shape[i], axis);
    }
    if (axes_ == 0) add_outer_axis(1, {});
  }

  bool stands_still(size_t operand) const { return extents_[0] != 1 && strides_[0][operand] == 0; }

  /// Calls f(offsets, first, n) for each run of elements [first, first + n) of the result in [begin, end);
  /// offsets[k] is where operand k begins.
  template <class F>
  void for_runs(int64_t begin, int64_t end, F f) const {
    const int64_t length = extents_[0];
    std::array<int64_t, Shape::max_rank> index{};
    std::array<int64_t, count> row{};
    int64_t position = begin / length;
    for (size_t axis = 1; axis < axes_; ++axis) {
      index[axis] = position % extents_[axis];
      position /= extents_[axis];
      for (size_t k = 0; k < count; ++k) row[k] += index[axis] * strides_[axis][k];
    }
    for (int64_t column = begin % length; begin < end; column = 0) {
      const int64_t n = std::min(length - column, end - begin);
      std::array<int64_t, count> offsets = row;
      for (size_t k = 0; k < count; ++k) offsets[k] += column * strides_[0][k];
      f(offsets, begin, n);
      begin += n;
      next_row(index, row);
    }
  }

 private:
  void add_outer_axis(int64_t extent, const std::array<int64_t, count>& strides) {
    if (axes_ > 0) {
      const size_t inner = axes_ - 1;
      bool behind = true;
      for (size_t k = 0; k < count; ++k)
        behind = behind && strides[k] == strides_[inner][k] * extents_[inner];
      if (behind) {
        extents_[inner] *= extent;
        return;
      }
    }
    extents_[axes_] = extent;
    strides_[axes_] = strides;
    ++axes_;
  }

  void next_row(std::array<int64_t, Shape::max_rank>& index, std::array<int64_t, count>& row) const {
    for (size_t axis = 1; axis < axes_; ++axis) {
      for (size_t k = 0; k < count; ++k) row[k] += strides_[axis][k];
      if (++index[axis] < extents_[axis]) return;
      for (size_t k = 0; k < count; ++k) row[k] -= extents_[axis] * strides_[axis][k];
      index[axis] = 0;
    }
  }

  // Innermost first.
  size_t axes_ = 0;
  std::array<int64_t, Shape::max_rank> extents_{};
  std::array<std::array<int64_t, count>, Shape::max_rank> strides_{};
};

}  // namespace weft::kernels
