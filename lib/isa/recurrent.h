// One step of a recurrent cell for one row of n units: the gates and what they do to the state, in one pass.
// Formulas stand in kernels/fused/recurrent.h.
#pragma once

#include <cstdint>

namespace weft::isa {

struct RecurrentFunctions {
  /// gates (4 n): x W^T + b in, i f g o out. hw (4 n): h W^T + b. c and h (n) become those after the step.
  void (*lstm)(int64_t n, float* gates, const float* hw, float* c, float* h);
  /// dgates (4 n) from i f g o, the cells before and after, and the gradients dh and dc of the state after
  /// the step; dc becomes that of the cells before it.
  void (*lstm_grad)(int64_t n, const float* gates, const float* c_before, const float* c, const float* dh,
                    float* dc, float* dgates);
  /// gates (3 n): x W^T + b in, r z n out. hw (3 n): h W^T + b. h (n) becomes that after the step.
  void (*gru)(int64_t n, float* gates, const float* hw, float* h);
  /// dgates and dhw (3 n) from r z n, the last third of hw and the state before the step; dh becomes what
  /// reaches the state before it other than through hw.
  void (*gru_grad)(int64_t n, const float* gates, const float* hn, const float* h_before, float* dh,
                   float* dgates, float* dhw);
};

}  // namespace weft::isa
