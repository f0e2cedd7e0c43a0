// Learning rate schedules: pure functions of the step, counted from 0. There is nothing to save in a
// checkpoint.
#pragma once

#include <cstdint>

namespace weft::schedule {

struct WarmupOptions {
  double lr = 1e-3;     ///< the highest rate
  int64_t warmup = 0;   ///< steps of warm-up: lr (k + 1) / (warmup + 1) at step k < warmup
  int64_t steps = 0;    ///< step at which the decay ends
  double min_lr = 0.0;  ///< rate at the end of the decay and after
};

/// lr after the warm-up.
double constant(int64_t step, const WarmupOptions& options);
/// From lr after the warm-up straight down to min_lr at `steps`.
double linear(int64_t step, const WarmupOptions& options);
/// From lr down to min_lr on half a cosine (Loshchilov and Hutter 2017; nanoGPT's get_lr).
double cosine(int64_t step, const WarmupOptions& options);
/// scale width^-0.5 min((k + 1)^-0.5, (k + 1) warmup^-1.5) (Vaswani et al. 2017, equation 3, whose steps
/// count from 1). ValueError unless width and warmup are at least 1.
double inverse_square_root(int64_t step, int64_t width, int64_t warmup, double scale = 1.0);

}  // namespace weft::schedule
