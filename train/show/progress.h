// The lines that a training run says: how far it is, how it does, how fast, and how long still.
#pragma once

#include <weft/train/files/run_log.h>
#include <weft/train/show/console.h>

#include <chrono>
#include <cstdint>
#include <string>

namespace weft {

/// "step  120/2000".
std::string step_text(int64_t step, int64_t of);

/// How fast the updates are, evaluations and checkpoints not counted, and the line about them:
///   Progress progress(run.log().seconds());
///   progress.begin_update();  ...  Update update = ...;  progress.end_update(update, tokens);
///   console.renew(progress.line(update, 2000));
class Progress {
 public:
  /// `before`: seconds of training that lie behind, of a run that goes on.
  explicit Progress(double before = 0) : before_(before), start_(Clock::now()) {}

  void begin_update() { begin_ = Clock::now(); }
  /// Gives the update its time and rate; `read` are its tokens, or pictures.
  void end_update(Update& update, int64_t read);
  /// The rate is that of the updates since the last reset: one line of the log.
  void reset() { since_ = 0, read_ = 0; }
  /// Of training, with what lay behind.
  double seconds() const;
  /// "step 120/2000  loss 1.2345  lr 0.001  norm 0.50  23,456 tokens/s  1:05 left".
  std::string line(const Update& update, int64_t max_iters, const char* unit = "tokens") const;

 private:
  using Clock = std::chrono::steady_clock;

  double before_;
  Clock::time_point start_, begin_{};
  double since_ = 0, mean_ = 0;
  int64_t read_ = 0;
};

}  // namespace weft
