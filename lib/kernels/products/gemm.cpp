#include <weft/lib/kernels/products/product_internal.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>

namespace weft::kernels {

void Product::run() const {
  if (pairs) {
    run_packed();
  } else if (m == 1) {
    run_row(n, a.floats().data, a.column, b, 1);
  } else if (n == 1 && !bias) {
    run_row(m, b.floats().data, b.row, a.turned(), c_row);  // C^T = B^T A^T
  } else if (m * n * k <= 4 * tile_work) {
    functions.multiply(m, n, k, a.floats(), b.floats(), c, c_row, accumulate, bias);
  } else if (n > 16 && n % 16 == 1 && a.column == 1 && !bias) {
    // A vector for the last column would be empty but for one lane: as a row, all are full.
    Product{m, n - 1, k, a, b, c, c_row, accumulate, bias, read_soon}.run();
    Product{m, 1, k, a, b.part(0, n - 1), c + n - 1, c_row, accumulate, bias}.run();
  } else if (pays_turned()) {
    Product{n, m, k, b.turned(), a.turned(), c, c_row, accumulate, bias, read_soon, true}
        .run_packed();  // C^T = B^T A^T
  } else if (m >= 4 * functions.rows && n >= functions.columns) {
    run_packed();
  } else {
    run_in_place();
  }
}

/// Whether the tiles had better lie along m, where all are whole, than along n, where the last vector of a
/// row is partly empty: in n there are tiles of any even height. A and each tile of C are turned for it;
/// measured, that takes as long as a tenth of the columns would, or a fiftieth where A is packed anyway,
/// and 10 / k more.
bool Product::pays_turned() const {
  const int64_t empty = round_up(n, 16) - n, share = a.column == 1 ? 10 : 2;
  return m >= 8 * functions.columns && 100 * empty * k > n * (share * k + 1000);
}

void Product::run_row(int64_t columns, const float* x, int64_t x_step, const Factor& right,
                      int64_t y_step) const {
  const int64_t tile = round_up(std::max<int64_t>(up(tile_work / 8, k + 1), 1), 16 * 16);
  parallel_for(columns, tile, [&](int64_t begin, int64_t end) {
    functions.multiply_row(end - begin, k, x, x_step, right.part(0, begin).floats(), c + begin * y_step,
                           y_step, accumulate, bias_at(begin));
  });
}

void Product::run_in_place() const {
  const bool by_columns = n >= m;
  const int64_t line = (by_columns ? m : n) * k;
  const int64_t tile = round_up(up(tile_work, line + 1), by_columns ? functions.columns : functions.rows);
  parallel_for(by_columns ? n : m, tile, [&](int64_t begin, int64_t end) {
    if (by_columns) {
      functions.multiply(m, end - begin, k, a.floats(), b.part(0, begin).floats(), c + begin, c_row,
                         accumulate, bias_at(begin));
    } else {
      functions.multiply(end - begin, n, k, a.part(begin, 0).floats(), b.floats(), c + begin * c_row, c_row,
                         accumulate, bias);
    }
  });
}

void gemm(int64_t m, int64_t n, int64_t k, MatrixView<float> a, MatrixView<float> b, float* c, int64_t c_row,
          bool accumulate, const float* bias, bool read_soon) {
  if (m == 0 || n == 0) return;
  const Factor left{a.data, a.row, a.column}, right{b.data, b.row, b.column};
  Product{m, n, k, left, right, c, c_row, accumulate, bias, read_soon}.run();
}

namespace {

Product pairs_of(int64_t m, int64_t n, int64_t k, const NarrowView& a, const NarrowView& b) {
  return {.m = m,
          .n = n,
          .k = k,
          .a = {a.data, a.row, a.column, !a.floats},
          .b = {b.data, b.row, b.column, !b.floats},
          .pairs = true};
}

}  // namespace

void gemm_in_pairs(int64_t m, int64_t n, int64_t k, NarrowView a, NarrowView b, float* c, int64_t c_row,
                   bool accumulate) {
  for (int64_t i = 0; k == 0 && !accumulate && i < m; ++i) std::fill_n(c + i * c_row, n, 0.0f);
  if (m == 0 || n == 0 || k == 0) return;
  Product x = pairs_of(m, n, k, a, b);
  x.c = c, x.c_row = c_row, x.accumulate = accumulate;
  x.run();
}

void gemm_in_pairs(int64_t m, int64_t n, int64_t k, NarrowView a, NarrowView b, BFloat16* c, int64_t c_row,
                   const float* bias) {
  for (int64_t i = 0; k == 0 && i < m * n; ++i)
    c[i / n * c_row + i % n] = BFloat16(bias ? bias[i % n] : 0.0f);
  if (m == 0 || n == 0 || k == 0) return;
  Product x = pairs_of(m, n, k, a, b);
  x.narrow = c, x.c_row = c_row, x.bias = bias;
  x.run();
}

}  // namespace weft::kernels
