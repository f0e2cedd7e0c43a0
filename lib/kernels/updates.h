// Updates of a parameter in place, one pass over memory, float32 in the vector kernels and float64 in plain
// loops; Adam's stands in fused.h. ShapeError and TypeError name the operation.
#pragma once

#include <weft/lib/array.h>

namespace weft::kernels {

/// g = grad_scale grad + l2 p;  b = momentum b + g;  p -= lr (nesterov ? g + momentum b : b).
struct SGDStep {
  double lr, momentum, l2, grad_scale;
  bool nesterov;
};
void sgd_update(Array& parameter, const Array& grad, Array& momentum, const SGDStep& step);

/// g = grad_scale grad;  p = (1 - lr decay) p - lr sign(beta1 m + (1 - beta1) g);  m = beta2 m + (1 - beta2)
/// g. The sign of NaN is NaN.
struct LionStep {
  double lr, beta1, beta2, decay, grad_scale;
};
void lion_update(Array& parameter, const Array& grad, Array& m, const LionStep& step);

/// y += weight (x - y).
void lerp_into(Array& y, const Array& x, double weight);

}  // namespace weft::kernels
