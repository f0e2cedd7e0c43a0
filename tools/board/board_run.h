// A run as the board follows it: its files are read as they grow, and nothing is ever written or locked.
#pragma once

#include <weft/lib/base/file.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "alerts.h"
#include "line_tail.h"
#include "series.h"
#include "shown_config.h"
#include "statistics_log.h"

namespace weft::tools {

class BoardRun {
 public:
  enum class State {
    waiting,   ///< nothing is logged yet
    training,  ///< somebody holds the run's lock, or, where locks cannot be seen, the log has just grown
    finished,  ///< the last evaluation is that of the last update, or the one at which patience ended
    stopped,   ///< none of these
    gone,      ///< the folder is not there any more; what was read of it stays
  };

  /// `path` is told in messages, and shown, as it is.
  explicit BoardRun(std::string path);

  /// Reads what is new, of each file until `left` bytes are read, or a line more, and takes them off. Returns whether anything
  /// has changed, the state too.
  bool read(uint64_t& left);
  /// Whether all that there was is read.
  bool is_read() const;

  const std::string& name() const { return folder_; }
  State state() const { return state_; }
  /// How often one of its files was begun anew since it was first read: what was known before is of another run, or of
  /// what a resume has cut off.
  int64_t generation() const { return generation_; }
  const Series& updates() const { return updates_; }
  const Series& evaluations() const { return evaluations_; }
  const StatisticsLog& statistics() const { return statistics_; }

  /// Of the samples, in order.
  std::vector<int64_t> sample_steps() const;
  /// {"step": n, "text": "..."}. ValueError for a number that there is not; FileError when it is gone from the file.
  std::string sample_json(size_t number) const;
  /// All that is no curve, sample or statistic: {"name", "state", "step", "of", "seconds", "left", "last", "best", "alerts",
  /// "notes", "config", ...}.
  std::string json() const;

 private:
  /// A file of lines and what was found in it.
  struct Lines {
    LineTail tail;
    int64_t read = 0;
    int64_t bad = 0, first_bad = 0;  ///< that cannot be read, and the number of the first
    std::string note(const char* name, bool whole) const;
  };
  struct Sample {
    int64_t step = 0;
    uint64_t offset = 0, size = 0;  ///< in samples.jsonl
  };

  bool read_config();
  bool read_lines(Lines& lines, uint64_t& left, const std::function<bool(const LineTail::Line&)>& take,
                  const std::function<void()>& clear);
  bool take_metrics(std::string_view line);
  bool take_sample(const LineTail::Line& line);
  bool is_over() const;
  State state_now(bool grown);
  std::vector<std::string> notes() const;
  std::optional<double> seconds_an_update() const;

  std::string folder_;
  Lines metrics_, samples_file_, statistics_file_;
  ShownConfig config_;
  std::string config_error_;
  std::optional<FileIdentity> config_identity_;
  Series updates_, evaluations_;
  std::vector<Sample> samples_;
  StatisticsLog statistics_;
  std::vector<Alert> alerts_;
  State state_ = State::waiting;
  int64_t generation_ = 0;
  bool there_ = true;
  int grown_unlocked_ = 0;  ///< how often the log grew while nobody held the lock: of another machine, say
};

const char* name_of(BoardRun::State state);

}  // namespace weft::tools
