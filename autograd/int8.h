// Weights in 8-bit integers, for models that are used and no longer trained.
//
//   quantize_int8(layer.weight, FloatValues::dropped);
//   const NoGrad no_grad;
//   const Tensor y = linear(x, layer.weight, layer.bias);  // in int8
//
// What linear() and linears() compute then is said in lib/kernels/products/int8_weight.h: each row of the result depends on
// its row of x alone, with the same bits on every processor. layers/quantize.h does it to a whole model.
#pragma once

#include <weft/autograd/tensor.h>

namespace weft {

enum class FloatValues {
  dropped,  ///< nothing but linear() and linears() can read the weight any more: else StateError
  kept,  ///< for those who read it otherwise, as the table of an embedding; the integers are made by the first linear()
};

/// From now on linear() and linears() take this weight (O, I), float32, as integers, for good: a leaf that is not changed any
/// more, and has no gradient (StateError). ValueError for NaN and infinity, TypeError for another type, ShapeError for other
/// ranks.
void quantize_int8(const Tensor& weight, FloatValues values);
bool is_int8(const Tensor& weight);

namespace detail {
[[noreturn]] void refuse_int8(const char* what, const Tensor& weight);
}  // namespace detail

}  // namespace weft
