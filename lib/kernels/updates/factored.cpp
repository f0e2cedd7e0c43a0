#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/checks.h>
#include <weft/lib/kernels/elementwise/broadcast.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/reduce.h>
#include <weft/lib/kernels/updates/updates.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace weft::kernels {

namespace {

/// A stack of matrices, its rows in tiles that depend on the shape alone.
struct Matrices {
  int64_t count, R, C, tile;
};

Matrices matrices_of(const char* op, const Array& x) {
  if (x.rank() < 2) fail<ShapeError>(op, ": needs at least two axes: grad is ", x.shape());
  const int64_t R = x.dim(-2), C = x.dim(-1);
  return {x.size() / std::max<int64_t>(1, R * C), R, C,
          std::max<int64_t>(16, elementwise_tile / std::max<int64_t>(1, C))};
}

float add_squares(float scale, const float* x, float* sums, int64_t n) {
  return isa::table().updates.add_squares(scale, x, sums, n);
}
double add_squares(double scale, const double* x, double* sums, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double square = scale * x[i] * (scale * x[i]);
    sums[i] += square;
    sum += square;
  }
  return sum;
}

/// grad_scale, the row's moment, floor.
template <class T>
struct Row {
  T scale, moment, floor;
};

float squares(const Row<float>& row, const float* columns, const float* grad, int64_t n) {
  return isa::table().updates.factored_squares({row.scale, row.moment, row.floor}, columns, grad, n);
}
void update(const Row<float>& row, const float* columns, float keep, float rate, float* parameter,
            const float* grad, int64_t n) {
  isa::table().updates.factored({row.scale, row.moment, row.floor}, columns, keep, rate, parameter, grad, n);
}

double step_of(const Row<double>& row, double column, double grad) {
  return row.scale * grad / std::sqrt(std::max(row.moment * column, row.floor));
}
double squares(const Row<double>& row, const double* columns, const double* grad, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i)
    sum += step_of(row, columns[i], grad[i]) * step_of(row, columns[i], grad[i]);
  return sum;
}
void update(const Row<double>& row, const double* columns, double keep, double rate, double* parameter,
            const double* grad, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    parameter[i] = keep * parameter[i] - rate * step_of(row, columns[i], grad[i]);
}

/// ShapeError unless the moments are those of grad's matrices; TypeError unless of its type.
void check_moments(const char* op, const Matrices& m, const Array& grad, const FactoredMoments& moments) {
  check_same_type(op, "grad", grad, "rows", moments.rows);
  check_same_type(op, "grad", grad, "columns", moments.columns);
  if (moments.rows.size() != m.count * m.R || moments.columns.size() != m.count * m.C)
    fail<ShapeError>(op, ": grad is ", grad.shape(), ", its rows are ", moments.rows.shape(),
                     ", its columns ", moments.columns.shape());
}

}  // namespace

FactoredMoments mean_squares(const Array& grad, double grad_scale) {
  const Matrices m = matrices_of("mean_squares", grad);
  const KernelScope profile("mean_squares", 0, grad);
  const int64_t tiles = (m.R + m.tile - 1) / m.tile;
  const int last = grad.rank() - 1;
  const Shape row_shape = grad.shape().with(last, 1), column_shape = grad.shape().with(last - 1, 1);
  if (grad.size() == 0)
    return {Array::zeros(row_shape, grad.dtype()), Array::zeros(column_shape, grad.dtype())};
  Array rows(row_shape, grad.dtype()), sums({m.count, tiles, m.C}, grad.dtype());
  visit_floating("mean_squares", grad.dtype(), [&]<class T>(T) {
    const T* const g = grad.data<T>();
    T *const row = rows.mutable_data<T>(), *const sum = sums.mutable_data<T>();
    parallel_for(m.count * tiles, 1, [&](int64_t begin, int64_t) {
      const int64_t matrix = begin / tiles, first = begin % tiles * m.tile;
      T* const own = sum + begin * m.C;
      std::fill_n(own, m.C, T{0});
      for (int64_t r = first; r < std::min(first + m.tile, m.R); ++r) {
        const int64_t at = matrix * m.R + r;
        row[at] = add_squares(static_cast<T>(grad_scale), g + at * m.C, own, m.C) / static_cast<T>(m.C);
      }
    });
  });
  Array columns = sum(sums, std::array{1}, true);
  scale_into(columns, 1.0 / static_cast<double>(std::max<int64_t>(1, m.R)));
  return {rows, columns.reshape(column_shape)};
}

double factored_squared_norm(const Array& grad, const FactoredMoments& moments, double grad_scale,
                             double floor) {
  const Matrices m = matrices_of("factored_squared_norm", grad);
  check_moments("factored_squared_norm", m, grad, moments);
  const KernelScope profile("factored_squared_norm", 0, grad);
  std::vector<double> sums(static_cast<size_t>(m.count * m.R));
  visit_floating("factored_squared_norm", grad.dtype(), [&]<class T>(T) {
    const T *const g = grad.data<T>(), *const row = moments.rows.data<T>(),
                   *const column = moments.columns.data<T>();
    parallel_for(m.count * m.R, m.tile, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const Row<T> factors{static_cast<T>(grad_scale), row[r], static_cast<T>(floor)};
        sums[static_cast<size_t>(r)] =
            static_cast<double>(squares(factors, column + r / m.R * m.C, g + r * m.C, m.C));
      }
    });
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

void adafactor_update(Array& parameter, const Array& grad, const FactoredMoments& moments,
                      const AdafactorStep& s) {
  check_same("adafactor_update", "parameter", parameter, "grad", grad);
  const Matrices m = matrices_of("adafactor_update", grad);
  check_moments("adafactor_update", m, grad, moments);
  const KernelScope profile("adafactor_update", 0, grad, parameter, parameter);
  visit_floating("adafactor_update", grad.dtype(), [&]<class T>(T) {
    const T *const g = grad.data<T>(), *const row = moments.rows.data<T>(),
                   *const column = moments.columns.data<T>();
    T* const p = parameter.mutable_data<T>();
    parallel_for(m.count * m.R, m.tile, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const Row<T> factors{static_cast<T>(s.grad_scale), row[r], static_cast<T>(s.floor)};
        update(factors, column + r / m.R * m.C, static_cast<T>(s.keep), static_cast<T>(s.rate), p + r * m.C,
               g + r * m.C, m.C);
      }
    });
  });
}

}  // namespace weft::kernels
