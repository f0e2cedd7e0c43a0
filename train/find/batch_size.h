// How many samples an update should have, by the noise scale of the gradient (optim/noise_scale.h) in a short training; and
// how fast a micro-batch of each size goes on this machine.
#pragma once

#include <weft/train/session.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace weft {

struct BatchTest {
  struct Options {
    int64_t updates = 100;  ///< of the short training, with the session's settings
    int64_t largest = 256;  ///< micro-batch whose speed is taken, at most
    double seconds = 1.0;   ///< that the measurement of one size may take, two updates apart
  };
  struct Noise {
    int64_t step = 0;
    double loss = 0;
    double scale = 0;  ///< in samples: GradientNoiseScale of the updates so far
  };
  struct Speed {
    int64_t batch = 0;
    double samples_per_second = 0;
    int64_t memory = 0;  ///< bytes that the run would take at most
  };

  std::vector<Noise> noise;
  std::vector<Speed> speeds;
  double scale = 0;    ///< at the end of the training
  int64_t update = 0;  ///< samples of an update that are suggested: the power of two nearest to `scale`
  int64_t batch_size =
      0;  ///< the smallest micro-batch, not above `update`, that is within 5 % of the fastest
  int64_t gradient_accumulation_steps = 0;  ///< that make up the update
};

/// Trains the parts of a trial_session() and leaves them changed. Of each update the squared norms of the gradient of its
/// first eighth and of the whole are taken, whose difference tells how much is noise. ValueError for fewer
/// than 10 updates; NumericError when the loss is no longer finite.
BatchTest find_batch_size(Session& session, const BatchTest::Options& options,
                          const std::function<void(const BatchTest::Noise&)>& each = {},
                          const std::function<void(const BatchTest::Speed&)>& timed = {});

}  // namespace weft
