#include <weft/lib/base/error.h>
#include <weft/lib/base/math.h>
#include <weft/optim/clip.h>
#include <weft/optim/noise_scale.h>
#include <weft/optim/train_step.h>
#include <weft/train/build.h>
#include <weft/train/find/batch_size.h>
#include <weft/train/update_time.h>

#include <algorithm>
#include <cmath>

namespace weft {
namespace {

constexpr int64_t pieces = 8;  // of an update whose gradients are compared
constexpr int64_t least_updates = 10;
constexpr double nearly = 0.95;  // of the fastest

void train(Session& s, BatchTest& test, const BatchTest::Options& options,
           const std::function<void(const BatchTest::Noise&)>& each) {
  const int64_t small = std::max<int64_t>(1, s.config.samples_per_update() / pieces);
  Loader loader(s.task.training, small, UpdateShare{.batches = pieces});
  GradientNoiseScale scale;
  for (int64_t k = 0; k < options.updates; ++k) {
    TrainStep update(*s.optimizer, {.seed = static_cast<uint64_t>(s.config.seed), .step = k});
    double first_norm = 0, first = 0;
    for (const UpdatePiece& piece : loader.update()) {
      const Batch batch = loader.next();
      update.backward(piece, [&] { return loss_of(s.config, *s.model, batch); });
      if (first > 0) continue;
      first = static_cast<double>(update.samples());
      first_norm = grad_norm(s.optimizer->parameters()) / static_cast<double>(update.rows());
    }
    const auto whole = static_cast<double>(update.samples());
    const double norm = update.finish({.lr = learning_rate_at(s.config, k), .max_norm = s.config.grad_clip});
    scale.add(first, first_norm, whole, norm);
    test.noise.push_back({k, update.loss(), scale.value()});
    if (each) each(test.noise.back());
  }
  test.scale = scale.value();
}

void time_sizes(Session& s, BatchTest& test, const BatchTest::Options& options,
                const std::function<void(const BatchTest::Speed&)>& timed) {
  RunConfig config = s.config;
  for (int64_t batch = 1; batch <= options.largest; batch *= 2) {
    config.batch_size = batch;
    MemoryPlan plan;
    try {
      plan = plan_memory(config, s.task);
    } catch (const MemoryError&) {
      break;  // larger ones would take more still
    }
    Loader loader(s.task.training, batch);
    const UpdateTime time = time_updates(config, *s.model, *s.optimizer, loader, options.seconds);
    test.speeds.push_back({batch, time.samples / time.seconds, plan.most()});
    if (timed) timed(test.speeds.back());
    if (time.seconds > options.seconds) break;
  }
}

}  // namespace

BatchTest find_batch_size(Session& session, const BatchTest::Options& options,
                          const std::function<void(const BatchTest::Noise&)>& each,
                          const std::function<void(const BatchTest::Speed&)>& timed) {
  if (options.updates < least_updates)
    fail<ValueError>("--updates ", options.updates, ": needs ", least_updates, " at least");
  BatchTest test;
  train(session, test, options, each);
  time_sizes(session, test, options, timed);
  const double scale = std::clamp(test.scale, 1.0, 65536.0);
  test.update = int64_t{1} << std::llround(math::log(scale) / math::log(2.0));
  double fastest = 0;
  for (const BatchTest::Speed& speed : test.speeds)
    if (speed.batch <= test.update) fastest = std::max(fastest, speed.samples_per_second);
  test.batch_size = 1;
  for (const BatchTest::Speed& speed : test.speeds)
    if (speed.batch <= test.update && speed.samples_per_second >= nearly * fastest) {
      test.batch_size = speed.batch;
      break;
    }
  test.gradient_accumulation_steps = test.update / test.batch_size;
  return test;
}

}  // namespace weft
