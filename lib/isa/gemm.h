// Matrix products of one instruction set: register tiles, packing, products of one row. Every element is one
// chain of fused multiply-adds in k order from the value already in C, or from 0, as
// kernels/products/matmul.h says.
#pragma once

#include <cstdint>

namespace weft::isa {

/// Element (i, j) at data[i * row + j * column], one of the strides being 1.
struct Operand {
  const float* data;
  int64_t row, column;
};

/// The same of a product of bfloat16: of such values, or of floats that are rounded to them.
struct NarrowOperand {
  const void* data;
  int64_t row, column;
  bool floats;
};

/// Memory in `rows` pieces of `columns` floats that begin `row` floats apart.
struct Region {
  const float* data = nullptr;
  int64_t rows = 0, columns = 0, row = 0;
};

/// One block of k of a product: C (m, n) = [C +] A B [+ bias], in tiles of `height` rows. C lies in rows, or
/// `turned`, in columns, and has a bias for each row then.
/// A is read in place; or it lies in panels of `height` rows, element (i, p) of a panel at
/// [p * stride + i]. B lies in panels of `columns` columns, element (p, j) of a panel at
/// [p * columns + j].
struct Block {
  int64_t m, n, k, height;
  const float* a_panels;  ///< or null: then `a` is read
  Operand a;
  const float* b_panels;
  float* c;
  int64_t c_row;  ///< floats between its rows; its columns if turned
  bool turned, accumulate;
  bool streamed = false;       ///< C goes around the caches; it is not accumulated, and lies in whole lines
  const float* bias;           ///< added at the end, or null
  bool tiles_far, panels_far;  ///< C, B's panels lie outside the second cache: they are fetched ahead
  Region next;                 ///< what is read after this block, fetched into the second cache meanwhile
};

struct GemmFunctions {
  static constexpr int64_t stream_columns = 96;

  int64_t rows, columns;  ///< of the register tile
  int64_t stride;         ///< floats of a panel of A for each k

  /// Packs A (m, k) into panels of `height` rows, each k * stride floats.
  void (*pack_a)(int64_t m, int64_t k, int64_t height, Operand a, float* panels);
  /// Packs B (k, n) into panels of `columns` columns, each k * columns floats.
  void (*pack_b)(int64_t k, int64_t n, Operand b, float* panels);
  void (*multiply_block)(const Block& block);
  /// The whole product on this thread, A read in place: for small ones, and for few rows.
  void (*multiply)(int64_t m, int64_t n, int64_t k, Operand a, Operand b, float* c, int64_t c_row,
                   bool accumulate, const float* bias);
  /// y (n) = [y +] x (k) B (k, n) [+ bias]; x and y have strides.
  void (*multiply_row)(int64_t n, int64_t k, const float* x, int64_t x_step, Operand b, float* y,
                       int64_t y_step, bool accumulate, const float* bias);
  /// Packs W^T, given W (n, k), for products of few rows: `stream_columns` columns at a time, or what is left
  /// of them in whole vectors, k after k. The columns from j on, j a multiple of that, begin at j * k.
  void (*pack_streams)(int64_t k, int64_t n, const float* w, float* streams);
  /// Y (m, n) = X (m, k) W^T [+ bias], W packed so. Each stream is one walk through memory, at its speed.
  void (*multiply_streams)(int64_t m, int64_t n, int64_t k, const float* x, const float* streams, float* y,
                           int64_t y_row, const float* bias);
};

/// Products of bfloat16, as kernels/products/matmul.h says: the second of each pair of k is added first, and k that is odd
/// filled up with a zero. All run while subnormal numbers are flushed (machine/subnormals.h).
struct PairFunctions {
  int64_t rows, columns, stride;  ///< as above
  int64_t places;                 ///< floats of a panel that each pair takes there: 2, or 1 for both
  void (*pack_a)(int64_t m, int64_t k, int64_t height, NarrowOperand a, float* panels);
  void (*pack_b)(int64_t k, int64_t n, NarrowOperand b, float* panels);
  void (*multiply_block)(const Block& block);  ///< of panels, block.k counting their places
};

}  // namespace weft::isa
