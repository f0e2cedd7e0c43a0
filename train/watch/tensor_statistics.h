// What the values of an array are like, in a few numbers.
#pragma once

#include <weft/lib/array/array.h>

#include <cstdint>
#include <vector>

namespace weft {

/// Of n values x, in double, tile by tile of 65,536 values, the tiles' numbers joined in their order: so they depend on
/// nothing but the values. All are 0 for no values. Where a value is not finite, neither are those that it is part of.
struct TensorStatistics {
  static constexpr int64_t bins = 64;

  int64_t count = 0;        ///< n
  double mean = 0;          ///< sum x / n
  double std = 0;           ///< sqrt(sum (x - mean)^2 / n)
  double min = 0, max = 0;  ///< NaN if any value is
  double norm = 0;          ///< sqrt(sum x^2)
  double zero = 0;          ///< share of values that are exactly 0, or -0
  /// How many values lie in each of `bins` stretches of equal width from min to max, the last of them with max itself;
  /// all in the first where min is max. Empty unless it was asked for, for no values, and where any is not finite.
  std::vector<int64_t> histogram = {};

  /// The same of these values and those, as if they stood behind each other; without a histogram.
  void add(const TensorStatistics& more);
  /// Of each value times `factor`, which is above 0.
  TensorStatistics scaled(double factor) const;

  bool operator==(const TensorStatistics&) const = default;
};

/// TypeError unless the array is of floats.
TensorStatistics statistics_of(const Array& x, bool histogram = false);
/// sqrt(sum (a - b)^2), likewise. ShapeError unless both have one shape.
double distance(const Array& a, const Array& b);

}  // namespace weft
