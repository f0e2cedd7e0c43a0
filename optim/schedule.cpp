#include <weft/lib/error.h>
#include <weft/lib/math.h>
#include <weft/optim/schedule.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace weft::schedule {

namespace {

/// How much of the decay lies behind: 0 at the end of the warm-up, 1 from `steps` on.
double progress(int64_t step, const WarmupOptions& o) {
  if (step >= o.steps || o.steps <= o.warmup) return 1.0;
  return static_cast<double>(step - o.warmup) / static_cast<double>(o.steps - o.warmup);
}

template <class Shape>
double decayed(int64_t step, const WarmupOptions& o, const Shape& shape) {
  if (step < o.warmup) return constant(step, o);
  return o.min_lr + shape(progress(step, o)) * (o.lr - o.min_lr);
}

}  // namespace

double constant(int64_t step, const WarmupOptions& o) {
  if (step >= o.warmup) return o.lr;
  return o.lr * static_cast<double>(step + 1) / static_cast<double>(o.warmup + 1);
}

double linear(int64_t step, const WarmupOptions& o) {
  return decayed(step, o, [](double p) { return 1 - p; });
}

double cosine(int64_t step, const WarmupOptions& o) {
  return decayed(step, o,
                 [](double p) { return p >= 1 ? 0.0 : 0.5 * (1 + math::cos(std::numbers::pi * p)); });
}

double inverse_square_root(int64_t step, int64_t width, int64_t warmup, double scale) {
  if (width < 1 || warmup < 1)
    fail<ValueError>("inverse_square_root: width ", width, " and warmup ", warmup, " must be at least 1");
  const double k = static_cast<double>(step + 1), w = static_cast<double>(warmup);
  return scale / std::sqrt(static_cast<double>(width)) * std::min(1 / std::sqrt(k), k / (w * std::sqrt(w)));
}

}  // namespace weft::schedule
