// One number instead of fifty: what a run needs to end within a time and to learn the most until then. The choice is made of
// how much text there is, of how fast this machine makes updates, and of the law of train/scaling_law.h.
#pragma once

#include <weft/data/tasks/task_data.h>
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
  /// Measures updates for some seconds, and sets what is left. MemoryError when not even the smallest model fits;
  /// ValueError when the time is over before it begins.
  void settle(RunConfig& config, const TaskData& task, const std::set<std::string>& given);
  /// What was chosen, and why: a line each.
  const std::vector<std::string>& reasons() const { return reasons_; }

 private:
  using Clock = std::chrono::steady_clock;
  double left() const;
  void settle_size(RunConfig& config, const TaskData& task, const std::set<std::string>& given);
  void settle_length(RunConfig& config, const TaskData& task, const std::set<std::string>& given);

  Clock::time_point begin_ = Clock::now();
  double seconds_;
  double speed_ = 0;       ///< operations a second
  double text_bytes_ = 0;  ///< of the files, as they lie there
  std::vector<std::string> reasons_;
};

}  // namespace weft
