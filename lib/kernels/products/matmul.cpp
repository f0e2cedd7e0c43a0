#include <weft/lib/base/error.h>
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/movement.h>
#include <weft/lib/kernels/products/matmul.h>
#include <weft/lib/kernels/products/packed_weight.h>
#include <weft/lib/kernels/tiles.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

#include <algorithm>
#include <climits>
#include <type_traits>

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

bool in_pairs(const Array& a, const Array& b) {
  return (a.dtype() == bfloat16 && is_single(b.dtype())) || (b.dtype() == bfloat16 && is_single(a.dtype()));
}

/// Such as are not multiplied.
void check_types(const char* op, const Array& a, const Array& b) {
  if (a.dtype() != b.dtype() && !in_pairs(a, b))
    fail<TypeError>(op, ": element types differ: ", a.dtype(), " and ", b.dtype());
}

template <class T>
MatrixView<T> matrix(const Array& x, int64_t index, bool transpose) {
  const int64_t rows = x.dim(-2), columns = x.dim(-1);
  const T* data = x.data<T>() + index * rows * columns;
  return transpose ? MatrixView<T>{data, 1, columns} : MatrixView<T>{data, columns, 1};
}

NarrowView narrow_matrix(const Array& x, int64_t columns, bool transpose) {
  const bool floats = x.dtype() == float32;
  return transpose ? NarrowView{x.bytes(), 1, columns, floats} : NarrowView{x.bytes(), columns, 1, floats};
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

void add_rows(Array& y, const Array& bias) {
  const int64_t n = bias.size();
  double* const out = y.mutable_data<double>();
  const double* const add = bias.data<double>();
  for (int64_t i = 0; i < y.size(); ++i) out[i] += add[i % n];
}

void check_linear(const Array& x, const Array& weight, const Array& bias) {
  if (x.rank() < 1 || weight.rank() != 2 || x.dim(-1) != weight.dim(1))
    fail<ShapeError>("linear: x (..., I) and weight (O, I) do not fit: x is ", x.shape(), ", weight is ",
                     weight.shape());
  const int64_t outputs = weight.dim(0);
  if (bias.defined() && bias.shape() != Shape{outputs})
    fail<ShapeError>("linear: bias must be ", Shape{outputs}, " for weight ", weight.shape(), ", not ",
                     bias.shape());
  check_types("linear", x, weight);
  if (!bias.defined()) return;
  if (x.dtype() != bfloat16) return check_types("linear", x, bias);
  if (bias.dtype() != float32)
    fail<TypeError>("linear: x is bfloat16, bias ", bias.dtype(), ": bias must be float32");
}

Array result_of_linear(const Array& x, const Array& weight) {
  return Array(x.shape().with(x.rank() - 1, weight.dim(0)), in_pairs(x, weight) ? bfloat16 : x.dtype());
}

/// Of the weight, when y has few rows and it is worth it; else null.
std::shared_ptr<const Buffer> streams_for(const Array& y, const Array& weight) {
  const bool few = y.dtype() == float32 && y.size() > 0 && y.size() <= few_rows * weight.dim(0);
  return few ? packed_weight(weight) : nullptr;
}

FewRowsProduct few_rows_product(Array& y, const Buffer& streams, const Array& bias) {
  return {y.dim(-1), streams, y.mutable_data<float>(), bias.defined() ? bias.data<float>() : nullptr};
}

/// `streams` of the weight, or null.
void linear_into(Array& y, const Array& x, const Array& weight, const Array& bias, const Buffer* streams) {
  if (y.size() == 0) return;
  const int64_t outputs = weight.dim(0), inputs = weight.dim(1), rows = y.size() / outputs;
  if (y.dtype() == bfloat16)
    return gemm_in_pairs(rows, outputs, inputs, narrow_matrix(x, inputs, false),
                         narrow_matrix(weight, inputs, true), y.mutable_data<BFloat16>(), outputs,
                         bias.defined() ? bias.data<float>() : nullptr);
  if (streams) {
    const FewRowsProduct products[] = {few_rows_product(y, *streams, bias)};
    return multiply_few_rows(rows, inputs, x.data<float>(), products);
  }
  visit_floating("linear", x.dtype(), [&]<class T>(T) {
    const MatrixView<T> left{x.data<T>(), inputs, 1}, right{weight.data<T>(), 1, inputs};
    if constexpr (std::is_same_v<T, float>) {
      gemm(rows, outputs, inputs, left, right, y.mutable_data<T>(), outputs, false,
           bias.defined() ? bias.data<T>() : nullptr);
    } else {
      gemm(rows, outputs, inputs, left, right, y.mutable_data<T>(), outputs, false);
      if (bias.defined()) add_rows(y, bias);
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

Array linear(const Array& x, const Array& weight, const Array& bias) {
  check_linear(x, weight, bias);
  Array y = result_of_linear(x, weight);
  const KernelScope profile("linear", 2 * y.size() * x.dim(-1), x, weight, bias, y);
  linear_into(y, x, weight, bias, streams_for(y, weight).get());
  return y;
}

std::vector<Array> linears(const Array& x, std::span<const LinearWeights> weights) {
  std::vector<Array> results;
  std::vector<std::shared_ptr<const Buffer>> streams;
  for (const auto& [weight, bias] : weights) {
    check_linear(x, weight, bias);
    results.push_back(result_of_linear(x, weight));
    streams.push_back(streams_for(results.back(), weight));
  }
  const KernelScope profile("linear", [&] {
    const auto bytes = [](const Array& a) { return a.size() * static_cast<int64_t>(size_of(a.dtype())); };
    KernelWork work{0, bytes(x), str(x.shape())};
    for (size_t i = 0; i < weights.size(); ++i) {
      work.flop += 2 * results[i].size() * x.dim(-1);
      work.bytes += bytes(weights[i].weight) + bytes(results[i]);
      if (weights[i].bias.defined()) work.bytes += bytes(weights[i].bias);
      work.shapes += str(" ", weights[i].weight.shape());
    }
    return work;
  });
  if (!streams.empty() && std::find(streams.begin(), streams.end(), nullptr) == streams.end()) {
    std::vector<FewRowsProduct> products;
    for (size_t i = 0; i < weights.size(); ++i)
      products.push_back(few_rows_product(results[i], *streams[i], weights[i].bias));
    multiply_few_rows(x.size() / x.dim(-1), x.dim(-1), x.data<float>(), products);
  } else {
    for (size_t i = 0; i < weights.size(); ++i)
      linear_into(results[i], x, weights[i].weight, weights[i].bias, streams[i].get());
  }
  return results;
}

namespace {

/// x (B, ..., C) with a token of zeros behind each sample whose tokens are odd, so that the next begins a pair.
Array in_whole_pairs(const Array& x) {
  const int64_t samples = x.rank() > 1 ? x.dim(0) : 1,
                tokens = x.size() / std::max<int64_t>(1, samples * x.dim(-1));
  if (samples < 2 || tokens % 2 == 0) return x;
  return unslice(x.reshape({samples, tokens, x.dim(-1)}), {samples, tokens + 1, x.dim(-1)}, 1, 0);
}

}  // namespace

void accumulate_outer(Array& into, const Array& dy, const Array& x, bool fresh) {
  const bool ranks = into.rank() == 2 && dy.rank() >= 1 && dy.rank() == x.rank();
  if (!ranks || dy.dim(-1) != into.dim(0) || x.dim(-1) != into.dim(1) ||
      dy.shape().without(-1) != x.shape().without(-1)) {
    fail<ShapeError>("accumulate_outer: into (O, I), dy (..., O) and x (..., I) do not fit: into is ",
                     into.shape(), ", dy is ", dy.shape(), ", x is ", x.shape());
  }
  check_types("accumulate_outer", dy, x);
  const bool pairs = in_pairs(dy, x);
  if (into.dtype() != (pairs ? float32 : x.dtype()))
    fail<TypeError>("accumulate_outer: dy is ", dy.dtype(), ", x ", x.dtype(), ": into must not be ",
                    into.dtype());
  const int64_t outputs = into.dim(0), inputs = into.dim(1);
  const KernelScope profile("accumulate_outer", 2 * dy.size() * inputs, dy, x, into, into);
  if (into.size() == 0) return;
  if (pairs) {
    const Array left = in_whole_pairs(dy), right = in_whole_pairs(x);
    return gemm_in_pairs(outputs, inputs, left.size() / outputs, narrow_matrix(left, outputs, true),
                         narrow_matrix(right, inputs, false), into.mutable_data<float>(), inputs, !fresh);
  }
  visit_floating("accumulate_outer", x.dtype(), [&]<class T>(T) {
    const MatrixView<T> left{dy.data<T>(), 1, outputs}, right{x.data<T>(), inputs, 1};
    const int64_t rows = dy.size() / outputs;
    if constexpr (std::is_same_v<T, float>) {
      gemm(outputs, inputs, rows, left, right, into.mutable_data<T>(), inputs, !fresh, nullptr, false);
    } else {
      gemm(outputs, inputs, rows, left, right, into.mutable_data<T>(), inputs, !fresh);
    }
  });
}

}  // namespace weft::kernels
