#include <weft/optim/train_step.h>
#include <weft/train/build.h>
#include <weft/train/signals.h>
#include <weft/train/update_time.h>

#include <chrono>

namespace weft {

UpdateTime time_updates(const RunConfig& config, Model& model, Optimizer& optimizer, Loader& loader,
                        double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto update = [&] {
    TrainStep step(optimizer);
    for (const UpdatePiece& piece : loader.update()) {
      const Batch batch = loader.next();
      step.backward(piece, [&] { return loss_of(config, model, batch); });
    }
    const auto samples = static_cast<double>(step.samples());
    step.finish({.lr = 0.0, .max_norm = 1.0});
    return samples;
  };
  update();
  const Clock::time_point begin = Clock::now();
  UpdateTime sum;
  double count = 0;
  while (count < 2 || sum.seconds < seconds) {
    if (const int signal = StopSignals::received()) throw Stopped{signal};
    sum.samples += update();
    sum.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    ++count;
  }
  return {sum.seconds / count, sum.samples / count};
}

}  // namespace weft
