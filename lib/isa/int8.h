// Products of 8-bit integers of one instruction set: how rows become integers, and their products with panels of weights.
// Sums of integers are exact, and what is done in float is one chain in order of k: every set gives the same bits. The
// formulas stand in kernels/products/int8_weight.h.
#pragma once

#include <cstdint>

namespace weft::isa {

/// m rows of k values in groups along k: value p of row i is values[i * row + p] times scales[i * groups + p / group].
struct Int8Rows {
  const int8_t* values;  ///< within 127 of 0; behind k zeros to a multiple of 16
  int64_t row;           ///< bytes between rows
  const float* scales;
  const int32_t* sums;  ///< of the integers of each group
};

struct Int8Functions {
  static constexpr int64_t group = 64, panel_columns = 64;
  static constexpr int64_t groups(int64_t k) { return (k + group - 1) / group; }
  /// Bytes of a panel for each of its columns.
  static constexpr int64_t panel_bytes(int64_t k) { return (k + 3) / 4 * 4 + 4 * groups(k); }

  /// Rows (m, k), one behind another, as Int8Rows whose rows lie `row` bytes apart.
  void (*quantize)(int64_t m, int64_t k, const float* x, int8_t* values, int64_t row, float* scales,
                   int32_t* sums);
  /// Y (m, n) = X (m, k) W^T [+ bias]. W (n, k) lies in panels of `panel_columns` of its rows, or what is left of them in
  /// whole vectors of 16: for each group of k, four of k after four of k, these four of each row; then the scales of the
  /// rows.
  void (*multiply)(int64_t m, int64_t n, int64_t k, const Int8Rows& x, const int8_t* panels, float* y,
                   int64_t y_row, const float* bias);
};

/// In use: those of the set in use (table.h), or with the same bits others that the processor has beside it.
const Int8Functions& int8_functions();

}  // namespace weft::isa
