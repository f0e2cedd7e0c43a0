// Shape: the extents of an array, outermost first, and the rules of broadcasting.
#pragma once

#include <weft/lib/base/error.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace weft {

/// Up to eight extents, each at least 0. `Shape{}` is the shape of a scalar. ShapeError on a negative extent,
/// on more than eight axes, and on more elements than an int64 counts.
class Shape {
 public:
  static constexpr int max_rank = 8;

  Shape() = default;
  Shape(std::initializer_list<int64_t> extents) : Shape(std::span(extents.begin(), extents.size())) {}
  explicit Shape(std::span<const int64_t> extents);

  int rank() const { return rank_; }
  /// Number of elements: the product of the extents, 1 for a scalar.
  int64_t size() const { return size_; }
  /// Extent of an axis; negative axes count from the last. ShapeError when there is no such axis.
  int64_t dim(int axis) const;
  int64_t operator[](int axis) const { return extents_[static_cast<size_t>(axis)]; }

  const int64_t* begin() const { return extents_.data(); }
  const int64_t* end() const { return extents_.data() + rank_; }

  /// This shape with `extent` put in before `axis`, with the extent of `axis` replaced, or without `axis`.
  Shape inserted(int axis, int64_t extent) const;
  Shape with(int axis, int64_t extent) const;
  Shape without(int axis) const;

  friend bool operator==(const Shape& a, const Shape& b);

 private:
  std::array<int64_t, max_rank> extents_{};
  int rank_ = 0;
  int64_t size_ = 1;
};

/// "(4, 3, 8)", "(5,)", "()".
std::string to_string(const Shape& shape);
inline void append_to(std::string& text, const Shape& shape) { text += to_string(shape); }

/// Brings an axis in [-rank, rank) into [0, rank). ShapeError that names `op` otherwise.
int normal_axis(const char* op, int axis, int rank);

/// NumPy's broadcasting: aligned at the last axis, extents equal or 1. ShapeError that names `op` otherwise.
Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b);

/// Whether an array of shape `from` can be expanded to `to`.
bool broadcasts_to(const Shape& from, const Shape& to);

/// Replaces the one extent of -1 in `wanted`, if any, so that `size` elements fit. ShapeError that names
/// both.
Shape resolve_reshape(const Shape& from, std::span<const int64_t> wanted);

}  // namespace weft
