// One float product, and the ways through it. Nothing here changes a bit of a result, only the speed.
#pragma once

#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/products/matmul.h>
#include <weft/lib/kernels/tiles.h>

#include <cstddef>
#include <cstdint>

namespace weft::kernels {

/// A matrix that is multiplied, of floats or of bfloat16.
struct Factor {
  const void* data;
  int64_t row, column;
  bool narrow = false;

  isa::Operand floats() const { return {static_cast<const float*>(data), row, column}; }
  isa::NarrowOperand in_pairs() const { return {data, row, column, !narrow}; }
  Factor turned() const { return {data, column, row, narrow}; }
  Factor part(int64_t i, int64_t j) const {
    const int64_t at =
        (i * row + j * column) * static_cast<int64_t>(narrow ? sizeof(BFloat16) : sizeof(float));
    return {static_cast<const std::byte*>(data) + at, row, column, narrow};
  }
  /// For fetching, which may miss by a value or two.
  isa::Region region(int64_t rows, int64_t columns) const {
    const int64_t each = column == 1 ? columns : rows, lines = column == 1 ? rows : columns;
    const int64_t step = column == 1 ? row : column;
    const auto* const first = static_cast<const float*>(data);
    return narrow ? isa::Region{first, lines, up(each, 2), step / 2} : isa::Region{first, lines, each, step};
  }
};

/// C (m, n) = [C +] A B [+ bias].
struct Product {
  int64_t m, n, k;
  Factor a, b;
  float* c = nullptr;
  int64_t c_row = 0;
  bool accumulate = false;
  const float* bias = nullptr;
  bool read_soon = true;       ///< after it, C is
  bool turned = false;         ///< C lies in columns, c_row floats apart, and has a bias for each row
  bool pairs = false;          ///< a product of bfloat16
  BFloat16* narrow = nullptr;  ///< where it is rounded to, instead of c
  const isa::GemmFunctions& functions = isa::table().gemm;
  const isa::PairFunctions& in_pairs = isa::pair_functions();

  /// Of the register tile.
  int64_t rows() const { return pairs ? in_pairs.rows : functions.rows; }
  int64_t columns() const { return pairs ? in_pairs.columns : functions.columns; }
  /// Floats of a panel of A for each k.
  int64_t stride() const { return pairs ? in_pairs.stride : functions.stride; }

  const float* bias_at(int64_t j) const { return bias ? bias + j : nullptr; }

  void run() const;
  bool pays_turned() const;
  /// One row by a matrix: y_step floats from one result to the next.
  void run_row(int64_t columns, const float* x, int64_t x_step, const Factor& right, int64_t y_step) const;
  /// Few rows or columns, both operands read where they lie.
  void run_in_place() const;
  /// A large product, packed for the caches: packed_product.cpp.
  void run_packed() const;
};

}  // namespace weft::kernels
