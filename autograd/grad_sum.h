// The running sum of a leaf's gradient for one use of it in the graph, for the engine alone.
#pragma once

#include <weft/lib/array/array.h>

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace weft {

/// All of the gradient, or only those of its rows that have been given: a table of which a batch reads few
/// rows would else be summed, and held, whole. Either way each element is one chain of additions in the order
/// of arrival.
class GradSum {
 public:
  GradSum() = default;
  explicit GradSum(Array whole) : whole_(std::move(whole)) {}
  /// The sum as a whole, zeros of that shape before anything arrived; rows given so far are put in.
  Array& whole(const Shape& shape, DType dtype);
  /// The same, but uninitialised and `fresh` before anything arrived, to be written whole.
  Array& room(const Shape& shape, DType dtype, bool& fresh);
  /// Row ids[i] += rows[i], in order; rows (..., C) with ids (...) of a gradient (V, C).
  void add_rows(const Array& ids, const Array& rows, const Shape& shape);
  /// total += this.
  void add_to(Array& total) const;

 private:
  Array whole_;
  std::unordered_map<int64_t, int64_t> place_;  // of a row among rows_
  std::vector<int64_t> ids_;
  Array rows_;  // (room, C), of which the first ids_.size() count
};

}  // namespace weft
