// One number instead of fifty: what a run needs to end within a time and to learn the most until then. The choice is made of
// how much text there is, of how fast this machine makes updates, and of the law of train/scaling_law.h.
#pragma once

#include <weft/data/tasks/task_data.h>
#include <weft/train/lora_run.h>
#include <weft/train/run_config.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace weft {

/// Of `weft train --minutes`:
///   TimeBudget budget(10);                                   // the clock begins
///   config = make_config(budget.settings(given, data) + given);  // tokenizer, context, batch, optimizer
///   task = open_task(config);
///   budget.settle(config, task, keys that were given);       // size, rate, length
/// What was given stays as it is. Of a task other than text the length alone is chosen.
class TimeBudget {
 public:
  /// ValueError unless 0.1 <= minutes <= 100,000.
  explicit TimeBudget(double minutes);

  /// What comes in front of `given`: for the task text with a model that has blocks of some width, else nothing.
  std::vector<Assignment> settings(const std::vector<Assignment>& given,
                                   const std::vector<std::string>& data);
  /// Measures updates for some seconds, and sets what is left. MemoryError, with settings that fit, when the smallest model, or
  /// the one that was given, has no room;
  /// ValueError when the time is over before it begins.
  /// `own`: what is the model's own beside adapters.
  void settle(RunConfig& config, const TaskData& task, const std::set<std::string>& given,
              const OwnParts& own = {});
  /// What was chosen, and why: a line each.
  const std::vector<std::string>& reasons() const { return reasons_; }

 private:
  using Clock = std::chrono::steady_clock;
  double left() const;
  double one_measuring() const;  ///< seconds for one size
  void settle_size(RunConfig& config, const TaskData& task, const std::set<std::string>& given);
  void settle_length(RunConfig& config, const TaskData& task, const std::set<std::string>& given,
                     const OwnParts& own);

  Clock::time_point begin_ = Clock::now();
  double seconds_;
  double speed_ = 0;       ///< operations a second
  double text_bytes_ = 0;  ///< of the files, as they lie there
  std::vector<std::string> reasons_;
};

}  // namespace weft
