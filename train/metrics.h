// metrics.jsonl: one object a line, appended as the run goes.
#pragma once

#include <weft/lib/base/file.h>

#include <cstdint>
#include <string>
#include <vector>

#include "training_state.h"

namespace weft {

/// Of one update: its number, the mean loss before it, and what it ran at; `seconds` of training so far.
struct Update {
  int64_t step = 0;
  double loss = 0;
  double lr = 0;
  double grad_norm = 0;
  double tokens_per_second = 0;
  double seconds = 0;
};

class MetricsLog {
 public:
  /// Opens the log of a run that stands before update `step`: lines of that update and later are cut off, and
  /// so are evaluations later than the last of `history`. A line that cannot be read is cut too.
  MetricsLog(const std::string& path, int64_t step, const History& history);

  void add(const Update& update);
  void add(const Evaluation& evaluation);
  /// Brings what was added to the disk.
  void sync() const;

  const std::vector<Update>& updates() const { return updates_; }
  const std::vector<Evaluation>& evaluations() const { return evaluations_; }
  /// Of the last update.
  double seconds() const { return updates_.empty() ? 0.0 : updates_.back().seconds; }
  /// Lines that could not be read.
  int64_t unreadable() const { return unreadable_; }

 private:
  bool take(const std::string& line, int64_t step, const History& history);
  void append(const std::string& line) const;

  std::string path_;
  Descriptor file_;
  std::vector<Update> updates_;
  std::vector<Evaluation> evaluations_;
  int64_t unreadable_ = 0;
};

}  // namespace weft
