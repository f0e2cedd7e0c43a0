#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/checks.h>
#include <weft/lib/kernels/fused/fused.h>
#include <weft/lib/kernels/strides.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

namespace weft::kernels {

namespace {

using Row = void (*)(const float* x, float* y, int64_t n);
using RowGrad = void (*)(const float* y, const float* dy, float* dx, int64_t n);

Array for_rows(const char* op, Row row, const Array& x) {
  check_float(op, "x", x);
  const Rows rows = rows_of(op, x);
  const int64_t n = rows.length;
  Array y(x.shape(), float32);
  const KernelScope profile(op, 0, x, y);
  const float* from = x.data<float>();
  float* to = y.mutable_data<float>();
  parallel_for(rows.count, tile_of_items(n), [=](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) row(from + r * n, to + r * n, n);
  });
  return y;
}

Array for_rows(const char* op, RowGrad row, const Array& y, const Array& dy) {
  check_float(op, "y", y);
  check_same(op, "y", y, "dy", dy);
  const Rows rows = rows_of(op, y);
  const int64_t n = rows.length;
  Array dx(y.shape(), float32);
  const KernelScope profile(op, 0, y, dy, dx);
  const float *value = y.data<float>(), *from = dy.data<float>();
  float* to = dx.mutable_data<float>();
  parallel_for(rows.count, tile_of_items(n), [=](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) row(value + r * n, from + r * n, to + r * n, n);
  });
  return dx;
}

}  // namespace

Array softmax(const Array& x) { return for_rows("softmax", isa::table().rows.softmax, x); }
Array log_softmax(const Array& x) { return for_rows("log_softmax", isa::table().rows.log_softmax, x); }
Array softmax_grad(const Array& p, const Array& dy) {
  return for_rows("softmax_grad", isa::table().rows.softmax_grad, p, dy);
}
Array log_softmax_grad(const Array& y, const Array& dy) {
  return for_rows("log_softmax_grad", isa::table().rows.log_softmax_grad, y, dy);
}

}  // namespace weft::kernels
