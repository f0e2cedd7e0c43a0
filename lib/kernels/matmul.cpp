#include <weft/lib/error.h>
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/matmul.h>
#include <weft/lib/parallel.h>

#include <algorithm>
#include <climits>
#include <type_traits>
#include <xtensor-blas/xblas.hpp>

namespace weft::kernels {
namespace {

constexpr int64_t up(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t round_up(int64_t a, int64_t b) { return up(a, b) * b; }

isa::Operand operand(MatrixView<float> view) { return {view.data, view.row, view.column}; }
isa::Operand part(isa::Operand x, int64_t i, int64_t j) {
  return {x.data + i * x.row + j * x.column, x.row, x.column};
}

/// One float product and how it is cut. Nothing here changes a bit of the result, only the speed.
struct Product {
  int64_t m, n, k;
  isa::Operand a, b;
  float* c;
  int64_t c_row;
  bool accumulate;
  const float* bias;
  const isa::GemmFunctions& functions = isa::table().gemm;

  /// Multiply-adds worth a tile of its own: a few microseconds.
  static constexpr int64_t tile_work = int64_t{1} << 18;

  const float* bias_at(int64_t j) const { return bias ? bias + j : nullptr; }
  bool is_small() const { return m * n * k <= 4 * tile_work; }

  void run_here() const {
    if (m == 1) {
      functions.multiply_row(n, k, a.data, a.column, b, c, 1, accumulate, bias);
    } else {
      functions.multiply(m, n, k, a, b, c, c_row, accumulate, bias);
    }
  }

  void run() const {
    if (m == 1) {
      run_row(n, a.data, a.column, b, 1);
    } else if (n == 1 && !bias) {
      run_row(m, b.data, b.row, {a.data, a.column, a.row}, c_row);  // C^T = B^T A^T
    } else if (is_small()) {
      run_here();
    } else if (m >= 4 * functions.rows && n >= functions.columns) {
      run_packed();
    } else {
      run_in_place();
    }
  }

  void run_row(int64_t columns, const float* x, int64_t x_step, isa::Operand right, int64_t y_step) const {
    const int64_t tile = round_up(std::max<int64_t>(up(tile_work / 8, k + 1), 1), 16 * 16);
    parallel_for(columns, tile, [&](int64_t begin, int64_t end) {
      functions.multiply_row(end - begin, k, x, x_step, part(right, 0, begin), c + begin * y_step, y_step,
                             accumulate, bias_at(begin));
    });
  }

  void run_in_place() const {
    const bool by_columns = n >= m;
    const int64_t line = (by_columns ? m : n) * k;
    const int64_t tile = round_up(up(tile_work, line + 1), by_columns ? functions.columns : functions.rows);
    parallel_for(by_columns ? n : m, tile, [&](int64_t begin, int64_t end) {
      if (by_columns) {
        functions.multiply(m, end - begin, k, a, part(b, 0, begin), c + begin, c_row, accumulate,
                           bias_at(begin));
      } else {
        functions.multiply(end - begin, n, k, part(a, begin, 0), b, c + begin * c_row, c_row, accumulate,
                           bias);
      }
    });
  }

  void run_packed() const;
};

/// A large product, cut for the caches. One operand, the shared one, is packed first, by all threads; blocks
/// of the other are packed by the thread that multiplies them, into memory that stays in its second cache. k
/// goes in steps of `depth`.
class PackedProduct {
 public:
  explicit PackedProduct(const Product& product)
      : x_(product),
        by_rows_(x_.m >= x_.n || x_.m > most_shared_rows),
        depth_(round_up(up(x_.k, up(x_.k, most_depth)), 16)),
        height_(up(x_.m, up(x_.m, x_.functions.rows))),
        streamed_(by_rows_ ? Axis{x_.m, height_, stride}
                           : Axis{x_.n, x_.functions.columns, x_.functions.columns}),
        shared_(by_rows_ ? Axis{x_.n, x_.functions.columns, x_.functions.columns}
                         : Axis{x_.m, height_, stride}),
        k_(std::min(x_.k, 8 * depth_)),
        shared_size_(std::max<int64_t>(1, std::min(up(shared_.size, shared_.panel),
                                                   shared_floats / (k_ * shared_.packed))) *
                     shared_.panel),
        packed_(allocate(static_cast<size_t>(shared_size_ / shared_.panel * shared_.packed * k_) *
                         sizeof(float))) {}

  void run() {
    for (int64_t p = 0; p < x_.k; p += k_)
      for (int64_t j = 0; j < shared_.size; j += shared_size_) {
        const Range part{j, std::min(shared_.size, j + shared_size_)}, ks{p, std::min(x_.k, p + k_)};
        pack_shared(part, ks);
        multiply(part, ks);
      }
  }

 private:
  struct Range {
    int64_t begin, end;
    int64_t size() const { return end - begin; }
  };
  /// An axis of the result: its size, the rows or columns of a panel, and their floats in it for each k.
  struct Axis {
    int64_t size, panel, packed;
    int64_t panels(Range range) const { return up(range.size(), panel); }
  };
  static constexpr int64_t most_depth = 512, stride = isa::GemmFunctions::panel_stride;
  static constexpr int64_t most_shared_rows = 560;  ///< whose block of k still fits the second cache
  static constexpr int64_t shared_floats = int64_t{1} << 21;  ///< packed at a time

  void pack(bool is_a, Range range, Range ks, float* out) const {
    if (is_a) {
      x_.functions.pack_a(range.size(), ks.size(), height_, part(x_.a, range.begin, ks.begin), out);
    } else {
      x_.functions.pack_b(ks.size(), range.size(), part(x_.b, ks.begin, range.begin), out);
    }
  }

  Range depth_at(Range ks, int64_t p) const { return {p, std::min(ks.end, p + depth_)}; }
  /// Where the shared operand lies from the k `p` on.
  float* shared_at(Range part, Range ks, int64_t p) const {
    return static_cast<float*>(packed_->data) + (p - ks.begin) * shared_.panels(part) * shared_.packed;
  }

  void pack_shared(Range part, Range ks) const {
    constexpr int64_t at_once = 4;
    const int64_t groups = up(shared_.panels(part), at_once);
    parallel_for(groups * up(ks.size(), depth_), 1, [&](int64_t item, int64_t) {
      const int64_t p = ks.begin + item / groups * depth_, panel = item % groups * at_once;
      const Range depth = depth_at(ks, p);
      const int64_t begin = part.begin + panel * shared_.panel;
      pack(!by_rows_, {begin, std::min(part.end, begin + at_once * shared_.panel)}, depth,
           shared_at(part, ks, p) + panel * depth.size() * shared_.packed);
    });
  }

  void multiply(Range part, Range ks) const {
    const int64_t block = std::min(round_up(up(streamed_.size, 8), streamed_.panel), 10 * streamed_.panel);
    parallel_for(streamed_.size, block, [&](int64_t begin, int64_t end) {
      const Range range{begin, end};
      const auto buffer =
          allocate(static_cast<size_t>(streamed_.panels(range) * streamed_.packed * depth_) * sizeof(float));
      float* const own = static_cast<float*>(buffer->data);
      for (int64_t p = ks.begin; p < ks.end; p += depth_) {
        const Range depth = depth_at(ks, p);
        pack(by_rows_, range, depth, own);
        const float* const shared = shared_at(part, ks, p);
        const float* const next = depth.end < ks.end ? shared_at(part, ks, depth.end) : shared;
        const Range rows = by_rows_ ? range : part, columns = by_rows_ ? part : range;
        x_.functions.multiply_packed({.m = rows.size(),
                                      .n = columns.size(),
                                      .k = depth.size(),
                                      .height = height_,
                                      .a = by_rows_ ? own : shared,
                                      .b = by_rows_ ? shared : own,
                                      .c = x_.c + rows.begin * x_.c_row + columns.begin,
                                      .c_row = x_.c_row,
                                      .accumulate = x_.accumulate || p > 0,
                                      .bias = depth.end == x_.k ? x_.bias_at(columns.begin) : nullptr,
                                      .next_a = by_rows_ ? own : next,
                                      .next_b = by_rows_ ? next : own});
      }
    });
  }

  const Product& x_;
  bool by_rows_;
  int64_t depth_, height_;
  Axis streamed_, shared_;
  int64_t k_, shared_size_;
  std::shared_ptr<Buffer> packed_;
};

void Product::run_packed() const { PackedProduct(*this).run(); }

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

/// The batch of a matmul: which matrix of a and of b makes which matrix of the result.
struct Batch {
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

void check_types(const char* op, const Array& a, const Array& b) {
  if (a.dtype() != b.dtype()) fail<TypeError>(op, ": element types differ: ", a.dtype(), " and ", b.dtype());
}

template <class T>
MatrixView<T> matrix(const Array& x, int64_t index, bool transpose) {
  const int64_t rows = x.dim(-2), columns = x.dim(-1);
  const T* data = x.data<T>() + index * rows * columns;
  return transpose ? MatrixView<T>{data, 1, columns} : MatrixView<T>{data, columns, 1};
}

template <class T>
void matmul_of(const Batch& batch, int64_t m, int64_t n, int64_t k, const Array& a, const Array& b,
               bool transpose_a, bool transpose_b, Array& y) {
  T* const out = y.mutable_data<T>();
  const auto views = [&](int64_t i) {
    return std::pair(matrix<T>(a, Batch::index(i, batch.shape, batch.a), transpose_a),
                     matrix<T>(b, Batch::index(i, batch.shape, batch.b), transpose_b));
  };
  const int64_t count = batch.shape.size();
  if (m * n == 0 || count == 0) return;
  if (!transpose_a && batch.b.size() == 1 &&
      batch.a == batch.shape) {  // one right factor: the rows of all are one matrix
    gemm(count * m, n, k, matrix<T>(a, 0, false), matrix<T>(b, 0, transpose_b), out, n, false);
    return;
  }
  const int64_t work = m * n * k + 1;
  if (work > 8 * Product::tile_work) {
    for (int64_t i = 0; i < count; ++i)
      gemm(m, n, k, views(i).first, views(i).second, out + i * m * n, n, false);
    return;
  }
  parallel_for(count, up(Product::tile_work, work), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto [left, right] = views(i);
      gemm(m, n, k, left, right, out + i * m * n, n, false);
    }
  });
}

void add_rows(Array& y, const Array& bias) {
  const int64_t n = bias.size();
  double* const out = y.mutable_data<double>();
  const double* const add = bias.data<double>();
  for (int64_t i = 0; i < y.size(); ++i) out[i] += add[i % n];
}

}  // namespace

void gemm(int64_t m, int64_t n, int64_t k, MatrixView<float> a, MatrixView<float> b, float* c, int64_t c_row,
          bool accumulate, const float* bias) {
  if (m == 0 || n == 0) return;
  Product{m, n, k, operand(a), operand(b), c, c_row, accumulate, bias}.run();
}

void gemm(int64_t m, int64_t n, int64_t k, MatrixView<double> a, MatrixView<double> b, double* c,
          int64_t c_row, bool accumulate) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    for (int64_t i = 0; i < m && !accumulate; ++i) std::fill_n(c + i * c_row, n, 0.0);
    return;
  }
  const int64_t tile = round_up(up(Product::tile_work, n * k), 8);
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
  const Batch batch{broadcast_shapes("matmul", leading_a, leading_b), leading_a, leading_b};
  const int rank = batch.shape.rank();
  Array y(batch.shape.inserted(rank, m).inserted(rank + 1, n), a.dtype());
  visit_floating("matmul", a.dtype(),
                 [&]<class T>(T) { matmul_of<T>(batch, m, n, k, a, b, transpose_a, transpose_b, y); });
  return y;
}

Array linear(const Array& x, const Array& weight, const Array& bias) {
  if (x.rank() < 1 || weight.rank() != 2 || x.dim(-1) != weight.dim(1))
    fail<ShapeError>("linear: x (..., I) and weight (O, I) do not fit: x is ", x.shape(), ", weight is ",
                     weight.shape());
  const int64_t outputs = weight.dim(0), inputs = weight.dim(1);
  if (bias.defined() && bias.shape() != Shape{outputs})
    fail<ShapeError>("linear: bias must be ", Shape{outputs}, " for weight ", weight.shape(), ", not ",
                     bias.shape());
  check_types("linear", x, weight);
  if (bias.defined()) check_types("linear", x, bias);
  Array y(x.shape().with(x.rank() - 1, outputs), x.dtype());
  if (y.size() == 0) return y;
  const int64_t rows = y.size() / outputs;
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
  return y;
}

void accumulate_outer(Array& into, const Array& dy, const Array& x) {
  const bool ranks = into.rank() == 2 && dy.rank() >= 1 && dy.rank() == x.rank();
  if (!ranks || dy.dim(-1) != into.dim(0) || x.dim(-1) != into.dim(1) ||
      dy.shape().without(-1) != x.shape().without(-1)) {
    fail<ShapeError>("accumulate_outer: into (O, I), dy (..., O) and x (..., I) do not fit: into is ",
                     into.shape(), ", dy is ", dy.shape(), ", x is ", x.shape());
  }
  check_types("accumulate_outer", dy, x);
  check_types("accumulate_outer", into, x);
  const int64_t outputs = into.dim(0), inputs = into.dim(1);
  if (into.size() == 0) return;
  visit_floating("accumulate_outer", x.dtype(), [&]<class T>(T) {
    gemm(outputs, inputs, dy.size() / outputs, {dy.data<T>(), 1, outputs},
         MatrixView<T>{x.data<T>(), inputs, 1}, into.mutable_data<T>(), inputs, true);
  });
}

}  // namespace weft::kernels
