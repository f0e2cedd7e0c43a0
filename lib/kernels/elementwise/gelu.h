// Parts of the activations in double that values and derivatives share.
#pragma once

#include <weft/lib/base/math.h>

namespace weft::kernels {

/// Clear of the infinities, which would meet a zero in x sigmoid(x) and its kind. NaN stays.
inline double within(double x, double bound) { return x < -bound ? -bound : x > bound ? bound : x; }
/// P(X <= x) of the normal distribution.
inline double normal_below(double x) { return 0.5 * (1 + math::erf(x * 0.7071067811865476)); }
/// 2 u of gelu_tanh, where x (1 + tanh u) / 2 = x sigmoid(2 u), and its derivative.
inline double gelu_tanh_argument(double x) { return 1.5957691216057308 * (x + 0.044715 * x * x * x); }
inline double gelu_tanh_argument_slope(double x) { return 1.5957691216057308 * (1 + 3 * 0.044715 * x * x); }

}  // namespace weft::kernels
