#include <weft/lib/base/math.h>
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/checks.h>
#include <weft/lib/kernels/elementwise/broadcast.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/elementwise/gelu.h>
#include <weft/lib/kernels/floats.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

namespace weft::kernels {

namespace {

void run_grad(UnaryGrad op, const float* x, const float* dy, float* y, int64_t n) {
  const isa::ElementwiseFunctions& f = isa::table().elementwise;
  switch (op) {
    case UnaryGrad::tanh_from_y:
      return f.tanh_from_y(x, dy, y, n);
    case UnaryGrad::sigmoid_from_y:
      return f.sigmoid_from_y(x, dy, y, n);
    case UnaryGrad::relu:
      return f.relu_grad(x, dy, y, n);
    case UnaryGrad::silu:
      return f.silu_grad(x, dy, y, n);
    case UnaryGrad::gelu:
      return f.gelu_grad(x, dy, y, n);
    default:
      return f.gelu_tanh_grad(x, dy, y, n);
  }
}

double slope(UnaryGrad op, double x) {
  switch (op) {
    case UnaryGrad::tanh_from_y:
      return 1 - x * x;
    case UnaryGrad::sigmoid_from_y:
      return x * (1 - x);
    case UnaryGrad::silu:
      return math::sigmoid(x) * (1 + within(x, 1000) * math::sigmoid(-x));
    case UnaryGrad::gelu: {
      const double near = within(x, 50);
      return normal_below(x) + near * 0.3989422804014327 * math::exp(-0.5 * near * near);
    }
    default: {
      const double near = within(x, 50), s = math::sigmoid(gelu_tanh_argument(near));
      return s * (1 + near * math::sigmoid(-gelu_tanh_argument(near)) * gelu_tanh_argument_slope(near));
    }
  }
}

void run_grad(UnaryGrad op, const double* x, const double* dy, double* y, int64_t n) {
  if (op == UnaryGrad::relu) {
    for (int64_t i = 0; i < n; ++i) y[i] = x[i] <= 0 ? 0 : dy[i];
  } else {
    for (int64_t i = 0; i < n; ++i) y[i] = dy[i] * slope(op, x[i]);
  }
}

const char* name_of(UnaryGrad op) {
  switch (op) {
    case UnaryGrad::tanh_from_y:
      return "tanh_grad";
    case UnaryGrad::sigmoid_from_y:
      return "sigmoid_grad";
    case UnaryGrad::relu:
      return "relu_grad";
    case UnaryGrad::silu:
      return "silu_grad";
    case UnaryGrad::gelu:
      return "gelu_grad";
    default:
      return "gelu_tanh_grad";
  }
}

}  // namespace

Array unary_grad(UnaryGrad op, const Array& x_or_y, Array dy) {
  check_same(name_of(op), "x", x_or_y, "dy", dy);
  Array dx = dy.unique() ? dy : Array(dy.shape(), dy.dtype());
  const KernelScope profile(name_of(op), 0, x_or_y, dy, dx);
  if (is_single(dy.dtype())) {
    for_float_pieces<2>({&x_or_y, &dy}, dx, [&](const auto& from, float* to, int64_t n) {
      run_grad(op, from[0], from[1], to, n);
    });
    return dx;
  }
  visit_floating(name_of(op), dy.dtype(), [&]<class T>(T) {
    const T *x = x_or_y.data<T>(), *from = dy.data<T>();
    T* to = dx.mutable_data<T>();
    parallel_for(dy.size(), elementwise_tile, [&](int64_t begin, int64_t end) {
      run_grad(op, x + begin, from + begin, to + begin, end - begin);
    });
  });
  return dx;
}

}  // namespace weft::kernels
