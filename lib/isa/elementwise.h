// Elementwise functions of the table: float arrays of n elements, y may be x. What each computes stands in
// kernels/elementwise.h, its accuracy in math.inc.
#pragma once

#include <cstdint>

namespace weft::isa {

struct ElementwiseFunctions {
  using Map = void (*)(const float* x, float* y, int64_t n);

  Map exp, log;
};

} // namespace weft::isa
