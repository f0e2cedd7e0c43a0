// Optimizer updates in place, over n elements.
#pragma once

#include <cstdint>

namespace weft::isa {

struct UpdateFunctions {
  /// kernels/updates/updates.h's AdamStep in float; keep is 1 - lr decay, rate lr / correction1,
  /// root 1 / sqrt(correction2).
  struct Adam {
    float beta1, rest1, beta2, rest2, eps, keep, l2, grad_scale, rate, root;
  };
  void (*adam)(const Adam& step, float* parameter, const float* grad, float* m, float* v, int64_t n);

  /// kernels/updates/updates.h's SGDStep and LionStep in float; keep is 1 - lr decay.
  struct SGD {
    float lr, momentum, l2, grad_scale;
    bool nesterov;
  };
  /// `momentum` may be null where it is 0.
  void (*sgd)(const SGD& step, float* parameter, const float* grad, float* momentum, int64_t n);
  struct Lion {
    float lr, beta1, rest1, beta2, rest2, keep, grad_scale;
  };
  void (*lion)(const Lion& step, float* parameter, const float* grad, float* m, int64_t n);

  /// One row of updates.h's factored moments: u = grad_scale grad / sqrt(max(row columns, floor)).
  struct Factored {
    float grad_scale, row, floor;
  };
  /// Sum of u^2.
  float (*factored_squares)(const Factored& moments, const float* columns, const float* grad, int64_t n);
  /// parameter = keep parameter - rate u.
  void (*factored)(const Factored& moments, const float* columns, float keep, float rate, float* parameter,
                   const float* grad, int64_t n);
  /// sums += (scale x)^2; returns the sum of (scale x)^2.
  float (*add_squares)(float scale, const float* x, float* sums, int64_t n);

  /// y += weight (x - y).
  void (*lerp)(float weight, float* y, const float* x, int64_t n);
};

}  // namespace weft::isa
