// Elementwise operations on arrays, values only. Float runs in the vector kernels, double in plain loops.
// bfloat16 is computed with in float32 and rounded once. Binary operations broadcast (shape.h) and want equal element types,
// but that of bfloat16 and float32 comes float32; TypeError and ShapeError name the operation.
#pragma once

#include <weft/lib/array/array.h>
#include <weft/lib/array/random.h>

#include <cstdint>

namespace weft::kernels {

enum class Unary {
  neg,
  abs,
  sign,
  exp,
  log,
  sqrt,
  reciprocal,
  square,
  sin,
  cos,
  tanh,
  erf,
  sigmoid,
  relu,
  silu,
  gelu,
  gelu_tanh
};
/// "exp", "gelu_tanh", ...
const char* name_of(Unary op);
/// y = op(x), for floating types (neg, abs, sign, square, relu also for integers, which wrap around).
///   sigmoid 1 / (1 + exp(-x));  silu x sigmoid(x);  gelu x (1 + erf(x / sqrt 2)) / 2;
///   gelu_tanh x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
/// NaN gives NaN, for sign and relu too; at -inf silu, gelu and gelu_tanh give their limit, 0. Errors of the
/// float functions stand in isa/math.inc, those of double in math.h; float sin and cos are double ones,
/// rounded.
Array unary(Unary op, const Array& x);

/// Derivatives that are worth a fused loop: dx = dy * op'(x), from the input x, or from the output y where
/// named so; written over dy when nobody else holds it.
enum class UnaryGrad { tanh_from_y, sigmoid_from_y, relu, silu, gelu, gelu_tanh };
Array unary_grad(UnaryGrad op, const Array& x_or_y, Array dy);

enum class Binary { add, sub, mul, div, pow, maximum, minimum };
const char* name_of(Binary op);
/// y = a op b with broadcasting. maximum and minimum propagate NaN. div and pow are for floating types; pow
/// follows C's and is that of double, rounded. The others also take integers, which wrap around.
Array binary(Binary op, const Array& a, const Array& b);
/// The same against one number, which takes the array's type; ValueError when that is an integer type and
/// does not hold it.
Array binary(Binary op, const Array& a, double b);
Array binary(Binary op, double a, const Array& b);

enum class Compare { eq, ne, lt, le, gt, ge };
/// bool array, with broadcasting. A number takes the array's type when that is floating, and is compared
/// exactly otherwise.
Array compare(Compare op, const Array& a, const Array& b);
Array compare(Compare op, const Array& a, double b);
Array logical_not(const Array& a);
Array logical_and(const Array& a, const Array& b);
Array logical_or(const Array& a, const Array& b);

/// condition ? a : b, all three broadcast; `condition` is bool, a and b of one type.
Array where(const Array& condition, const Array& a, const Array& b);
/// min(max(x, low), high), for floating types. NaN stays NaN. ValueError for a bound that is NaN.
Array clamp(const Array& x, double low, double high);

/// y += x, y *= factor, in place, without broadcasting.
void add_into(Array& y, const Array& x);
void scale_into(Array& y, double factor);

/// Inverted dropout. Axis 0 of x is the sample; element p of sample s is kept where word p % 4 of
/// philox(key, first_sample + s, p / 4) is at least p_drop * 2^32, and then multiplied by 1 / (1 - p_drop).
/// Backward is the same call on dy: nothing is stored. p_drop is in [0, 1] (ValueError); at 1 all is 0.
Array dropout(const Array& x, double p_drop, RandomKey key, uint64_t first_sample);

}  // namespace weft::kernels
