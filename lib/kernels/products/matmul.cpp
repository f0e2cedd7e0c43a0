#include <weft/lib/base/error.h>
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/products/factors_internal.h>
#include <weft/lib/kernels/products/matmul.h>
#include <weft/lib/kernels/tiles.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

#include <algorithm>
#include <climits>
#include <utility>

// xtensor-blas is the door to a BLAS that is loaded when it is first asked.
#define cblas_dgemm weft_blas_dgemm
#include <xtensor-blas/xblas.hpp>
#undef cblas_dgemm

namespace weft::kernels {
namespace {

/// BLAS counts in int.
int blas_size(int64_t value) {
  if (value > INT_MAX)
    fail<ValueError>("matmul: an extent of ", value, " is more than the BLAS for float64 can count");
  return static_cast<int>(value);
}

struct BlasOperand {
  cxxblas::Transpose transpose;
  int stride;
};

BlasOperand blas_operand(MatrixView<double> x, int64_t rows, int64_t columns) {
  if (x.column == 1) return {cxxblas::NoTrans, blas_size(std::max<int64_t>({x.row, columns, 1}))};
  return {cxxblas::Trans, blas_size(std::max<int64_t>({x.column, rows, 1}))};
}

void gemm_here(int64_t m, int64_t n, int64_t k, MatrixView<double> a, MatrixView<double> b, double* c,
               int64_t c_row, bool accumulate) {
  const BlasOperand left = blas_operand(a, m, k), right = blas_operand(b, k, n);
  cxxblas::gemm(cxxblas::RowMajor, left.transpose, right.transpose, blas_size(m), blas_size(n), blas_size(k),
                1.0, a.data, left.stride, b.data, right.stride, accumulate ? 1.0 : 0.0, c,
                blas_size(std::max<int64_t>(c_row, n)));
}

void gemm_here(int64_t m, int64_t n, int64_t k, MatrixView<float> a, MatrixView<float> b, float* c,
               int64_t c_row, bool accumulate) {
  isa::table().gemm.multiply(m, n, k, {a.data, a.row, a.column}, {b.data, b.row, b.column}, c, c_row,
                             accumulate, nullptr);
}

/// Products of a batch that one thread each makes: enough of them, and not so large that they had better be
/// cut for the caches, nor so narrow that other kernels are made for them.
constexpr int64_t many_products = 8, most_work_apart = 64 * tile_work, least_side_apart = 32;

/// The batch of a matmul: which matrix of a and of b makes which matrix of the result.
struct BatchIndex {
  Shape shape, a, b;

  static int64_t index(int64_t flat, const Shape& whole, const Shape& of) {
    int64_t result = 0, step = 1;
    for (int i = whole.rank() - 1, j = of.rank() - 1; j >= 0; --i, --j) {
      result += of[j] == 1 ? 0 : flat % whole[i] * step;
      flat /= whole[i];
      step *= of[j];
    }
    return result;
  }
};

Shape leading(const Array& x) {
  return Shape(std::span(x.shape().begin(), static_cast<size_t>(x.rank() - 2)));
}

template <class T>
MatrixView<T> matrix(const Array& x, int64_t index, bool transpose) {
  const int64_t rows = x.dim(-2), columns = x.dim(-1);
  const T* data = x.data<T>() + index * rows * columns;
  return transpose ? MatrixView<T>{data, 1, columns} : MatrixView<T>{data, columns, 1};
}

template <class T>
void matmul_of(const BatchIndex& batch, int64_t m, int64_t n, int64_t k, const Array& a, const Array& b,
               bool transpose_a, bool transpose_b, Array& y) {
  T* const out = y.mutable_data<T>();
  const auto views = [&](int64_t i) {
    return std::pair(matrix<T>(a, BatchIndex::index(i, batch.shape, batch.a), transpose_a),
                     matrix<T>(b, BatchIndex::index(i, batch.shape, batch.b), transpose_b));
  };
  const int64_t count = batch.shape.size();
  if (m * n == 0 || count == 0) return;
  if (!transpose_a && batch.b.size() == 1 &&
      batch.a == batch.shape) {  // one right factor: the rows of all are one matrix
    gemm(count * m, n, k, matrix<T>(a, 0, false), matrix<T>(b, 0, transpose_b), out, n, false);
    return;
  }
  const int64_t work = m * n * k + 1;
  const bool large = work > 4 * tile_work;
  const bool apart =
      large && count >= many_products && work <= most_work_apart && std::min(m, n) >= least_side_apart;
  if (large && !apart) {
    for (int64_t i = 0; i < count; ++i)
      gemm(m, n, k, views(i).first, views(i).second, out + i * m * n, n, false);
    return;
  }
  parallel_for(count, up(tile_work, work), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto [left, right] = views(i);
      if (apart) {
        gemm_here(m, n, k, left, right, out + i * m * n, n, false);
      } else {
        gemm(m, n, k, left, right, out + i * m * n, n, false);
      }
    }
  });
}

}  // namespace

void gemm(int64_t m, int64_t n, int64_t k, MatrixView<double> a, MatrixView<double> b, double* c,
          int64_t c_row, bool accumulate) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    for (int64_t i = 0; i < m && !accumulate; ++i) std::fill_n(c + i * c_row, n, 0.0);
    return;
  }
  const int64_t tile = round_up(up(tile_work, n * k), 8);
  parallel_for(m, tile, [&](int64_t begin, int64_t end) {
    gemm_here(end - begin, n, k, {a.data + begin * a.row, a.row, a.column}, b, c + begin * c_row, c_row,
              accumulate);
  });
}

Array matmul(const Array& a, const Array& b, bool transpose_a, bool transpose_b) {
  if (a.rank() < 2 || b.rank() < 2)
    fail<ShapeError>("matmul: needs at least two axes: a is ", a.shape(), ", b is ", b.shape());
  check_types("matmul", a, b);
  const int64_t m = a.dim(transpose_a ? -1 : -2), k = a.dim(transpose_a ? -2 : -1);
  const int64_t n = b.dim(transpose_b ? -2 : -1);
  if (b.dim(transpose_b ? -1 : -2) != k) {
    fail<ShapeError>("matmul: inner dimensions differ: a is ", a.shape(), transpose_a ? " transposed" : "",
                     ", b is ", b.shape(), transpose_b ? " transposed" : "");
  }
  const Shape leading_a = leading(a), leading_b = leading(b);
  if (leading_a != leading_b) {  // the message of broadcast_shapes would not show the whole shapes
    for (int i = leading_a.rank() - 1, j = leading_b.rank() - 1; i >= 0 && j >= 0; --i, --j)
      if (leading_a[i] != leading_b[j] && leading_a[i] != 1 && leading_b[j] != 1)
        fail<ShapeError>("matmul: leading axes do not broadcast: a is ", a.shape(), ", b is ", b.shape());
  }
  const BatchIndex batch{broadcast_shapes("matmul", leading_a, leading_b), leading_a, leading_b};
  const int rank = batch.shape.rank();
  const bool pairs = in_pairs(a, b);
  const bool one = batch.b.size() == 1 && batch.a == batch.shape && (!transpose_a || batch.shape.size() == 1);
  if (pairs && !one) return matmul(a.to(float32), b.to(float32), transpose_a, transpose_b).to(bfloat16);
  Array y(batch.shape.inserted(rank, m).inserted(rank + 1, n), pairs ? bfloat16 : a.dtype());
  const KernelScope profile("matmul", 2 * y.size() * k, a, b, y);
  if (pairs) {
    gemm_in_pairs(batch.shape.size() * m, n, k, narrow_matrix(a, a.dim(-1), transpose_a),
                  narrow_matrix(b, b.dim(-1), transpose_b), y.mutable_data<BFloat16>(), n);
    return y;
  }
  visit_floating("matmul", a.dtype(),
                 [&]<class T>(T) { matmul_of<T>(batch, m, n, k, a, b, transpose_a, transpose_b, y); });
  return y;
}

}  // namespace weft::kernels
