// The learning rate that a model and its data bear, by a short training in which it rises from update to update (Smith 2015,
// arXiv 1506.01186): the loss falls as soon as the rate is large enough, and rises again when it is too large.
#pragma once

#include <weft/train/session.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace weft {

struct RateTest {
  struct Options {
    double from = 1e-6, to = 1.0;  ///< update k of n runs at from (to / from)^(k / (n - 1))
    int64_t updates = 100;
    /// ValueError unless 0 < from < to and there are 10 updates at least.
    void check() const;
  };
  struct Point {
    double lr = 0;
    double loss = 0;      ///< of the update's samples, before it
    double smoothed = 0;  ///< the mean of the losses so far, each weighing 0.9 of the next one
  };

  std::vector<Point> points;
  bool diverged =
      false;            ///< it ended early: the smoothed loss was twice the least, or nothing finite came out
  double steepest = 0;  ///< where the smoothed loss falls most for a factor of the rate
  double lowest = 0;    ///< where it is least
  /// The geometric mean of both. Runs of 400 to 1,000 updates were there within 0.003 nats of the best rate that was tried (AdamW:
  /// 4 x 128 on Tiny Shakespeare 0.005, 2 x 48 on stories 0.033 and, of the kind best, 0.043).
  double suggestion = 0;
};

/// Trains the parts of a trial_session() with its settings, but for the rate, and leaves them changed. `each` is told of
/// every point.
/// NumericError when the loss does not fall at all.
RateTest find_learning_rate(Session& session, const RateTest::Options& options,
                            const std::function<void(const RateTest::Point&)>& each = {});

}  // namespace weft
