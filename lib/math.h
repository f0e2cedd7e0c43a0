// Elementary functions in double, the same bits on every processor: plain arithmetic, compiled once, without
// contraction and without libm, whose results change with the instruction set it finds. For schedules, initialisation,
// reports and the double path of the kernels; the float kernels have their own.
// Errors are given for the whole range where nothing else is said. (Filled in by measurement beside each function.)
#pragma once

namespace weft::math {

double exp(double x);
double expm1(double x);
double log(double x);
double log1p(double x);
double sin(double x);
double cos(double x);
double tanh(double x);
double erf(double x);
/// x to the power y, with C's rules for zeros, infinities and negative x with whole y.
double pow(double x, double y);
double sqrt(double x);
/// 1 / (1 + exp(-x)) without overflow.
double sigmoid(double x);

}  // namespace weft::math
