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

namespace {

struct Row {
  const char* name;
  Function function;
};

constexpr Row rows[] = {
    {"constant", constant},   {"linear", linear},
    {"cosine", cosine},       {"warmup_stable_decay", warmup_stable_decay},
    {"one_cycle", one_cycle}, {"inverse_square_root", inverse_square_root},
};

}  // namespace

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const Row& row : rows) all.emplace_back(row.name);
  return all;
}

Function by_name(const std::string& name) {
  std::string known;
  for (const Row& row : rows) {
    if (name == row.name) return row.function;
    known += str(known.empty() ? "" : ", ", row.name);
  }
  fail<ValueError>("there is no schedule '", name, "'; there are ", known);
}

}  // namespace weft::schedule
