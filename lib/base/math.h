// Elementary functions in double, the same bits on every processor: plain arithmetic, compiled once, without
// contraction and without libm, whose results change with the instruction set it finds. For schedules,
// initialisation, reports and the double path of the kernels; the float kernels have their own. Beside each
// function stands its largest error in ulp, measured against 80-bit arithmetic on 6 to 12 million arguments
// of all magnitudes. NaN gives NaN, infinities, signed zeros and subnormal numbers are right. Any thread may
// call them.
#pragma once

#include <limits>

namespace weft::math {

constexpr double infinity = std::numeric_limits<double>::infinity();

double exp(double x);    // 0.86
double expm1(double x);  // 1.15
double log(double x);    // 0.84
double log1p(double x);  // 1.44
double sin(double x);    // 0.78, for any finite x
double cos(double x);    // 0.77, for any finite x
double tanh(double x);   // 1.65
double erf(double x);    // 1.38
/// x to the power y, with C's rules for zeros, infinities and negative x with whole y. 0.85
double pow(double x, double y);
/// Rounded exactly.
double sqrt(double x);
/// 1 / (1 + exp(-x)) without overflow. 1.46
double sigmoid(double x);

}  // namespace weft::math
