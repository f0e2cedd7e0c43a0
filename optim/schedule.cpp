#include <weft/lib/base/error.h>
#include <weft/lib/base/math.h>
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

double warmup_stable_decay(int64_t step, const WarmupOptions& o) {
  const int64_t begin = std::max(o.warmup, o.steps - o.decay);
  if (step < begin) return constant(step, o);
  WarmupOptions tail = o;
  tail.warmup = begin;
  return linear(step, tail);
}

double one_cycle(int64_t step, const WarmupOptions& o) {
  const double k = static_cast<double>(step), peak = static_cast<double>(std::max<int64_t>(1, o.warmup) - 1);
  const double last = static_cast<double>(o.steps - 1), first_lr = o.lr / 25;
  const auto between = [](double from, double to, double p) {
    return to + (from - to) * 0.5 * (1 + math::cos(std::numbers::pi * p));
  };
  if (k < peak) return between(first_lr, o.lr, k / peak);
  if (k >= last) return o.min_lr;
  return between(o.lr, o.min_lr, (k - peak) / (last - peak));
}

double inverse_square_root(int64_t step, const WarmupOptions& o) {
  const double k = static_cast<double>(step + 1), w = static_cast<double>(std::max<int64_t>(1, o.warmup));
  return o.lr * std::min(k / w, std::sqrt(w / k));
}

double inverse_square_root(int64_t step, int64_t width, int64_t warmup, double scale) {
  if (width < 1 || warmup < 1)
    fail<ValueError>("inverse_square_root: width ", width, " and warmup ", warmup, " must be at least 1");
  const double k = static_cast<double>(step + 1), w = static_cast<double>(warmup);
  return scale / std::sqrt(static_cast<double>(width)) * std::min(1 / std::sqrt(k), k / (w * std::sqrt(w)));
}

}  // namespace weft::schedule

namespace weft {
namespace {

void add_ours(Registry<ScheduleEntry>& to) {
  using Plain = double (*)(int64_t, const schedule::WarmupOptions&);
  to.add({"constant", schedule::constant});
  to.add({"linear", schedule::linear});
  to.add({"cosine", schedule::cosine});
  to.add({"warmup_stable_decay", schedule::warmup_stable_decay});
  to.add({"one_cycle", schedule::one_cycle});
  to.add({"inverse_square_root", static_cast<Plain>(schedule::inverse_square_root)});
}

}  // namespace

Registry<ScheduleEntry>& schedules() {
  static Registry<ScheduleEntry> all("schedule");
  static const bool filled = (add_ours(all), true);
  static_cast<void>(filled);
  return all;
}

void register_schedule(std::string name, schedule::Function function, std::vector<Setting> settings) {
  schedules().add({std::move(name), std::move(function), std::move(settings)});
}

}  // namespace weft
