#include <weft/lib/base/error.h>
#include <weft/lib/base/math.h>
#include <weft/optim/train_step.h>
#include <weft/train/build.h>
#include <weft/train/find/learning_rate.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace weft {
namespace {

constexpr double memory = 0.9;    // of the smoothed loss
constexpr double too_much = 2.0;  // times the least smoothed loss: diverged
constexpr int64_t settled = 5;    // points before which a mean says little

double one_update(Session& s, int64_t step, double lr) {
  TrainStep update(*s.optimizer, {.seed = static_cast<uint64_t>(s.config.seed), .step = step});
  for (const UpdatePiece& piece : s.loader->update()) {
    const Batch batch = s.loader->next();
    update.backward(piece, [&] { return loss_of(s.config, *s.model, batch); });
  }
  update.finish({.lr = lr, .max_norm = s.config.grad_clip});
  return update.loss();
}

/// Steepest and lowest place, and what follows from them.
void conclude(RateTest& test) {
  const std::vector<RateTest::Point>& p = test.points;
  const auto size = std::ssize(p);
  size_t low = static_cast<size_t>(std::min(settled, size - 1));
  for (size_t i = low; i < p.size(); ++i)
    if (p[i].smoothed < p[low].smoothed) low = i;
  if (p[low].smoothed >= p[static_cast<size_t>(std::min(settled, size - 1))].smoothed || low == 0)
    fail<NumericError>("the loss did not fall at any learning rate from ", p.front().lr, " to ", p.back().lr,
                       ": the model cannot learn from these data with these settings, or the range is not "
                       "the right one; --from and --to set another");
  size_t steep = low;
  for (size_t i = static_cast<size_t>(settled); i <= low; ++i) {
    const auto fall = [&](size_t at) { return p[at - 1].smoothed - p[at].smoothed; };
    if (fall(i) > fall(steep)) steep = i;
  }
  test.lowest = p[low].lr;
  test.steepest = p[steep].lr;
  test.suggestion = std::sqrt(test.steepest * test.lowest);
}

}  // namespace

void RateTest::Options::check() const {
  if (!(from > 0 && from < to && std::isfinite(to)))
    fail<ValueError>("--from ", from, " --to ", to, ": needs 0 < from < to");
  if (updates < 2 * settled) fail<ValueError>("--updates ", updates, ": needs ", 2 * settled, " at least");
}

RateTest find_learning_rate(Session& session, const RateTest::Options& options,
                            const std::function<void(const RateTest::Point&)>& each) {
  options.check();
  RateTest test;
  double sum = 0, weight = 0, least = std::numeric_limits<double>::infinity();
  for (int64_t k = 0; k < options.updates; ++k) {
    const double share = static_cast<double>(k) / static_cast<double>(options.updates - 1);
    RateTest::Point point{.lr = options.from * math::pow(options.to / options.from, share)};
    try {
      point.loss = one_update(session, k, point.lr);
    } catch (const NumericError&) {
      test.diverged = true;
      break;
    }
    sum = memory * sum + point.loss;
    weight = memory * weight + 1;
    point.smoothed = sum / weight;
    test.points.push_back(point);
    if (each) each(point);
    if (k >= settled) least = std::min(least, point.smoothed);
    if (point.smoothed > too_much * least) {
      test.diverged = true;
      break;
    }
  }
  if (std::ssize(test.points) <= settled)
    fail<NumericError>("the loss was not finite after ", test.points.size(),
                       " updates, at a learning rate of ", options.from, "; --from sets a smaller one");
  conclude(test);
  return test;
}

}  // namespace weft
