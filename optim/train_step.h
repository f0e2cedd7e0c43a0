// The end of a training step, after backward: divide by the count, clip, update.
#pragma once

#include <weft/optim/optimizer.h>

namespace weft {

struct TrainStepOptions {
  double lr = 1e-3;
  int64_t count = 1;  ///< of the whole batch: gradients are those of the sum of losses, and are divided by it
  double max_norm = 0.0;  ///< global norm that gradients are clipped to; 0 means not
};

/// Returns the norm of the averaged gradient before clipping, as clip_grad_norm does. NumericError naming the
/// first parameter when it is NaN or infinite: nothing is updated then. Gradients are forgotten afterwards.
double train_step(Optimizer& optimizer, const TrainStepOptions& options);

}  // namespace weft
