// Learning rate schedules: pure functions of the step, counted from 0. There is nothing to save in a checkpoint. One of
// a user's is known by name after
//   register_schedule("mine", [](int64_t step, const schedule::WarmupOptions& o) { return ...; });
// and may have settings of its own, which it finds in WarmupOptions::settings.
#pragma once

#include <weft/lib/settings/registry.h>
#include <weft/lib/settings/setting.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace weft::schedule {

struct WarmupOptions {
  double lr = 1e-3;             ///< the highest rate
  int64_t warmup = 0;           ///< steps of warm-up: lr (k + 1) / (warmup + 1) at step k < warmup
  int64_t steps = 0;            ///< step at which the decay ends
  double min_lr = 0.0;          ///< rate at the end of the decay and after
  int64_t decay = 0;            ///< steps that the decay takes in warmup_stable_decay
  SettingValues settings = {};  ///< of a user's schedule: its own
};

/// lr after the warm-up.
double constant(int64_t step, const WarmupOptions& options);
/// From lr after the warm-up straight down to min_lr at `steps`.
double linear(int64_t step, const WarmupOptions& options);
/// From lr down to min_lr on half a cosine (Loshchilov and Hutter 2017; nanoGPT's get_lr).
double cosine(int64_t step, const WarmupOptions& options);
/// lr after the warm-up, and in the last `decay` steps before `steps` straight down to min_lr (Hu et al.
/// 2024, MiniCPM, whose decay is a tenth of the run).
double warmup_stable_decay(int64_t step, const WarmupOptions& options);
/// Up from lr / 25 to lr on half a cosine, reached with step warmup - 1, and down to min_lr on another,
/// reached with step `steps` - 1 (Smith and Topin 2019; torch.optim.lr_scheduler.OneCycleLR, whose warm-up is
/// 0.3 of the steps and whose min_lr lr / 25e4).
double one_cycle(int64_t step, const WarmupOptions& options);
/// lr min((k + 1) / w, sqrt(w / (k + 1))), w being warmup, but at least 1: up to lr in as many steps, and
/// down for ever.
double inverse_square_root(int64_t step, const WarmupOptions& options);
/// The same as the paper gives it, scale width^-0.5 min((k + 1)^-0.5, (k + 1) warmup^-1.5) (Vaswani et al.
/// 2017, equation 3, whose steps count from 1): lr = scale (width warmup)^-0.5. ValueError unless width and
/// warmup are at least 1.
double inverse_square_root(int64_t step, int64_t width, int64_t warmup, double scale = 1.0);

using Function = std::function<double(int64_t step, const WarmupOptions& options)>;

}  // namespace weft::schedule

namespace weft {

struct ScheduleEntry {
  std::string name;
  schedule::Function function;
  std::vector<Setting> settings = {};  ///< beside those of WarmupOptions
};

/// The registry, in which ours are from the start: constant, linear, cosine, warmup_stable_decay, one_cycle,
/// inverse_square_root.
Registry<ScheduleEntry>& schedules();
/// ValueError for a name that is taken.
void register_schedule(std::string name, schedule::Function function, std::vector<Setting> settings = {});

}  // namespace weft
