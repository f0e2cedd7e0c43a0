// Updates of a parameter in place, one pass over memory, float32 in the vector kernels and float64 in plain
// loops; Adam's takes float32 only. ShapeError and TypeError name the operation.
#pragma once

#include <weft/lib/array/array.h>

namespace weft::kernels {

/// SGD: g = grad_scale grad + l2 p;  b = momentum b + g;  p -= lr (nesterov ? g + momentum b : b).
/// Without momentum b is g, and `momentum` may be undefined.
struct SGDStep {
  double lr, momentum, l2, grad_scale;
  bool nesterov;
};
void sgd_update(Array& parameter, const Array& grad, Array& momentum, const SGDStep& step);

/// AdamW (Loshchilov and Hutter 2019, algorithm 2):
///   g = grad_scale grad + l2 p;  p *= 1 - lr decay;
///   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
///   p -= lr / c1 m / (sqrt(v) / sqrt(c2) + eps),  c1 = 1 - beta1^t,  c2 = 1 - beta2^t.
/// `decay` is decoupled (AdamW), `l2` coupled (Adam with weight_decay).
struct AdamStep {
  double lr, beta1, beta2, eps, decay, l2, grad_scale, correction1, correction2;
};
void adam_update(Array& parameter, const Array& grad, Array& m, Array& v, const AdamStep& step);

/// Lion (Chen et al. 2023):
///   g = grad_scale grad;  p = (1 - lr decay) p - lr sign(beta1 m + (1 - beta1) g);
///   m = beta2 m + (1 - beta2) g.
/// The sign of NaN is NaN.
struct LionStep {
  double lr, beta1, beta2, decay, grad_scale;
};
void lion_update(Array& parameter, const Array& grad, Array& m, const LionStep& step);

/// Second moments of a matrix, or of each of a stack (..., R, C), in factors: that of an element is its row's
/// times its column's.
struct FactoredMoments {
  Array rows, columns;  // (..., R, 1), (..., 1, C)
};
/// Means of (grad_scale grad)^2 over columns, and over rows; zeros over none. ShapeError for fewer than two
/// axes.
FactoredMoments mean_squares(const Array& grad, double grad_scale);
/// Sum of u^2, u = grad_scale grad / sqrt(max(moment, floor)), of which adafactor_update() is
/// p = keep p - rate u.
double factored_squared_norm(const Array& grad, const FactoredMoments& moments, double grad_scale,
                             double floor);
struct AdafactorStep {
  double keep, rate, grad_scale, floor;
};
void adafactor_update(Array& parameter, const Array& grad, const FactoredMoments& moments,
                      const AdafactorStep& step);

/// y += weight (x - y).
void lerp_into(Array& y, const Array& x, double weight);

}  // namespace weft::kernels
