// How long an update takes on this machine, by making some.
#pragma once

#include <weft/data/loader.h>
#include <weft/layers/models/model.h>
#include <weft/optim/optimizer.h>
#include <weft/train/run_config.h>

namespace weft {

/// Of an update, on average.
struct UpdateTime {
  double seconds = 0;
  double samples = 0;
};

/// Forward, backward, clipping and the optimizer of updates with the loader's samples: one to warm up, then others until so
/// many seconds are over, two at least. The weights stay as they are, since the learning rate is 0; the optimizer's state and
/// the loader's position do not. Stopped when a signal comes meanwhile.
UpdateTime time_updates(const RunConfig& config, Model& model, Optimizer& optimizer, Loader& loader,
                        double seconds);

}  // namespace weft
