// Elementwise functions of the table: float arrays of n elements, y may be an input. What each computes
// stands in kernels/elementwise/elementwise.h, its accuracy in math.inc.
#pragma once

#include <cstdint>

namespace weft::isa {

struct ElementwiseFunctions {
  using Map = void (*)(const float* x, float* y, int64_t n);
  Map exp, log, tanh, erf, sigmoid, silu, gelu, gelu_tanh;

  /// y = dy op'(x).
  using Slope = void (*)(const float* x, const float* dy, float* y, int64_t n);
  Slope tanh_from_y, sigmoid_from_y, relu_grad, silu_grad, gelu_grad, gelu_tanh_grad;

  /// Places first, first + 1, ..., first + n - 1 of one sample; first is a multiple of 64.
  struct Dropout {
    uint32_t key_low, key_high;
    uint64_t sample, first;
    uint64_t threshold;  ///< kept where the place's word (random.h) is at least this; at most 2^32
    float factor;
  };
  void (*dropout)(const Dropout& dropout, const float* x, float* y, int64_t n);

  /// bfloat16 to float, and float to the nearest bfloat16 (base/bfloat16.h).
  void (*widen)(const uint16_t* x, float* y, int64_t n);
  void (*narrow)(const float* x, uint16_t* y, int64_t n);
};

}  // namespace weft::isa
