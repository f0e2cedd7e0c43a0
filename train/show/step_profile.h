// --profile: where the time of some updates goes.
#pragma once

#include <weft/train/run.h>
#include <weft/train/show/console.h>

#include <cstdint>

namespace weft {

/// Profiles `steps` updates of a run, behind some of warm-up; 0 is none. Then it prints the tables and writes
/// the trace into the run's folder.
class StepProfile {
 public:
  static constexpr int64_t warm_up = 3;

  StepProfile(int64_t steps, Console& console, const Run& run)
      : steps_(steps), console_(console), run_(run) {}
  ~StepProfile();
  StepProfile(const StepProfile&) = delete;
  StepProfile& operator=(const StepProfile&) = delete;

  void before_update();
  void after_update();
  /// A run that ends sooner shows what was seen by then.
  void finish();

 private:
  void write();

  int64_t steps_;
  Console& console_;
  const Run& run_;
  int64_t done_ = 0;  ///< updates, those of warm-up included
  bool written_ = false;
};

}  // namespace weft
