// Weights as 8-bit integers, and products with them: a quarter of the memory, and of the time that it takes to read it.
//
// A row of I values is cut into groups of 64. Of a group whose largest size is m, all in float32,
//   scale = m / 127,   q = the integer nearest to x (127 / m), ties to even;
// where m is below 2^-100 scale and q are 0. W (O, I) is kept so; rows of x are quantized by the same rule when they are
// multiplied. With s[g] the sums of qx qw over a group, of integers and at most 64 * 127^2, so exact,
//   y[o] = sum over g of s[g] (scale_w[o][g] scale_x[g]) [+ bias[o]],
// one chain of fused multiply-adds from 0 in the order of g, the product of the two scales rounded. So a row of y depends on
// its row of x alone, and neither on threads nor on the instruction set. A group of x with a NaN or an infinity has the scale
// NaN, and its row of y is NaN.
#pragma once

#include <weft/lib/array/array.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace weft::kernels {

class Int8Weight {
 public:
  /// Of W (O, I), if check() takes it.
  explicit Int8Weight(const Array& weight);
  /// TypeError unless a weight is float32, ShapeError unless it has two axes, ValueError for NaN and infinity.
  static void check(const Array& weight);

  int64_t outputs() const { return outputs_; }
  int64_t inputs() const { return inputs_; }
  size_t bytes() const { return panels_->bytes; }
  /// scale * q (O, I).
  Array dequantized() const;

  /// W as Int8Functions::multiply reads it (lib/isa/int8.h).
  const int8_t* panels() const { return static_cast<const int8_t*>(panels_->data); }

 private:
  int64_t outputs_, inputs_;
  std::shared_ptr<Buffer> panels_;
};

struct Int8LinearWeights {
  const Int8Weight& weight;
  const Array& bias;  ///< (O), or undefined
};
/// y (..., O) = x (..., I) W^T [+ bias] by each of the weights, in one loop. ShapeError, and TypeError unless all is float32.
std::vector<Array> linears(const Array& x, std::span<const Int8LinearWeights> weights);
Array linear(const Array& x, const Int8Weight& weight, const Array& bias);

}  // namespace weft::kernels
