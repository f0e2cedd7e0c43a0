// Walking an array whose elements lie apart by strides, all counted in elements.
#pragma once

#include <weft/lib/array/shape.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace weft::kernels {

using Strides = std::array<int64_t, Shape::max_rank>;

/// Strides of a dense row-major array of `shape`.
inline Strides dense_strides(const Shape& shape) {
  Strides strides{};
  int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[static_cast<size_t>(i)] = step;
    step *= shape[i];
  }
  return strides;
}

/// Offsets of the elements of `shape`, in row-major order, under `strides`: a counter that starts anywhere.
class Walk {
 public:
  Walk(const Shape& shape, const Strides& strides, int64_t position) : shape_(shape), strides_(strides) {
    for (int i = shape.rank() - 1; i >= 0; --i) {
      const auto axis = static_cast<size_t>(i);
      index_[axis] = position % shape[i];
      position /= shape[i];
      offset_ += index_[axis] * strides[axis];
    }
  }
  int64_t offset() const { return offset_; }
  void next() {
    for (int i = shape_.rank() - 1; i >= 0; --i) {
      const auto axis = static_cast<size_t>(i);
      offset_ += strides_[axis];
      if (++index_[axis] < shape_[i]) return;
      offset_ -= shape_[i] * strides_[axis];
      index_[axis] = 0;
    }
  }

 private:
  const Shape& shape_;
  const Strides& strides_;
  std::array<int64_t, Shape::max_rank> index_{};
  int64_t offset_ = 0;
};

/// Tile for a parallel_for whose items take `work` elements each.
inline int64_t tile_of_items(int64_t work) {
  constexpr int64_t elements = 1 << 13;
  return std::max<int64_t>(1, elements / std::max<int64_t>(1, work));
}

}  // namespace weft::kernels
