#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/checks.h>
#include <weft/lib/kernels/elementwise/broadcast.h>
#include <weft/lib/kernels/updates/updates.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

#include <cmath>

namespace weft::kernels {

namespace {

float rounded(double x) { return static_cast<float>(x); }

void sgd_tile(const SGDStep& s, double* p, const double* grad, double* b, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const double g = s.grad_scale * grad[i] + s.l2 * p[i];
    const double direction = b ? s.momentum * b[i] + g : g;
    if (b) b[i] = direction;
    p[i] -= s.lr * (s.nesterov ? g + s.momentum * direction : direction);
  }
}

void lion_tile(const LionStep& s, double* p, const double* grad, double* m, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const double g = s.grad_scale * grad[i], c = s.beta1 * m[i] + (1 - s.beta1) * g;
    const double direction = std::abs(c) > 0 ? std::copysign(1.0, c) : c;
    p[i] = (1 - s.lr * s.decay) * p[i] - s.lr * direction;
    m[i] = s.beta2 * m[i] + (1 - s.beta2) * g;
  }
}

void lerp_tile(double weight, double* y, const double* x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] += weight * (x[i] - y[i]);
}

}  // namespace

void sgd_update(Array& parameter, const Array& grad, Array& momentum, const SGDStep& s) {
  check_same("sgd_update", "parameter", parameter, "grad", grad);
  if (momentum.defined() || s.momentum != 0)
    check_same("sgd_update", "parameter", parameter, "momentum", momentum);
  const KernelScope profile("sgd_update", 0, grad, parameter, parameter, momentum, momentum);
  const isa::UpdateFunctions::SGD in_float{.lr = rounded(s.lr),
                                           .momentum = rounded(s.momentum),
                                           .l2 = rounded(s.l2),
                                           .grad_scale = rounded(s.grad_scale),
                                           .nesterov = s.nesterov};
  visit_floating("sgd_update", parameter.dtype(), [&]<class T>(T) {
    T *p = parameter.mutable_data<T>(), *b = momentum.defined() ? momentum.mutable_data<T>() : nullptr;
    const T* g = grad.data<T>();
    parallel_for(parameter.size(), elementwise_tile, [&](int64_t begin, int64_t end) {
      if constexpr (std::is_same_v<T, float>) {
        isa::table().updates.sgd(in_float, p + begin, g + begin, b ? b + begin : nullptr, end - begin);
      } else {
        sgd_tile(s, p + begin, g + begin, b ? b + begin : nullptr, end - begin);
      }
    });
  });
}

void lion_update(Array& parameter, const Array& grad, Array& m, const LionStep& s) {
  check_same("lion_update", "parameter", parameter, "grad", grad);
  check_same("lion_update", "parameter", parameter, "m", m);
  const KernelScope profile("lion_update", 0, grad, parameter, parameter, m, m);
  const isa::UpdateFunctions::Lion in_float{.lr = rounded(s.lr),
                                            .beta1 = rounded(s.beta1),
                                            .rest1 = rounded(1 - s.beta1),
                                            .beta2 = rounded(s.beta2),
                                            .rest2 = rounded(1 - s.beta2),
                                            .keep = rounded(1 - s.lr * s.decay),
                                            .grad_scale = rounded(s.grad_scale)};
  visit_floating("lion_update", parameter.dtype(), [&]<class T>(T) {
    T *p = parameter.mutable_data<T>(), *first = m.mutable_data<T>();
    const T* g = grad.data<T>();
    parallel_for(parameter.size(), elementwise_tile, [&](int64_t begin, int64_t end) {
      if constexpr (std::is_same_v<T, float>) {
        isa::table().updates.lion(in_float, p + begin, g + begin, first + begin, end - begin);
      } else {
        lion_tile(s, p + begin, g + begin, first + begin, end - begin);
      }
    });
  });
}

void lerp_into(Array& y, const Array& x, double weight) {
  check_same("lerp_into", "y", y, "x", x);
  const KernelScope profile("lerp_into", 0, x, y, y);
  visit_floating("lerp_into", y.dtype(), [&]<class T>(T) {
    T* to = y.mutable_data<T>();
    const T* from = x.data<T>();
    parallel_for(y.size(), elementwise_tile, [&](int64_t begin, int64_t end) {
      if constexpr (std::is_same_v<T, float>) {
        isa::table().updates.lerp(rounded(weight), to + begin, from + begin, end - begin);
      } else {
        lerp_tile(weight, to + begin, from + begin, end - begin);
      }
    });
  });
}

}  // namespace weft::kernels
