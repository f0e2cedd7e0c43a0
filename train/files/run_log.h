// RunLog: what a run has done so far, in one store: updates and evaluations, in memory and as metrics.jsonl, one object
// a line, appended as the run goes. Beside it metrics.digest holds how many of its bytes were there at the last sync(),
// and their digest, so that a log which something else has touched since is known for one.
#pragma once

#include <weft/lib/base/held_folder.h>
#include <weft/train/files/history.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

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

/// A mean loss (nats a target) in bits a byte of text, where a target stands for so many bytes: loss / ln 2 / bytes.
double bits_per_byte(double loss, double bytes_per_target);

class RunLog {
 public:
  /// Opens the log of a run that stands before update `step` and has made the evaluations of `history`: lines of that
  /// update and later are cut off, lines that cannot be read or are longer than any of ours (lib/base/lines.h) too, and
  /// evaluations are written as `history` has them. The file may be of any size. With bytes_per_target above 0 the line of
  /// an evaluation has val_bits_per_byte too, which follows from val_loss; what a line has beside is passed over.
  RunLog(const HeldFolder& folder, const std::string& path, int64_t step, History history,
         double bytes_per_target = 0);
  /// That of a process that writes none, in memory alone.
  explicit RunLog(History history) : bytes_per_target_(0), history_(std::move(history)) {}

  void add(const Update& update);
  void add(const Evaluation& evaluation);
  /// Brings what was added to the disk, and its digest.
  void sync(const HeldFolder& folder) const;

  /// Its folder has been renamed.
  void call(std::string path) { path_ = std::move(path); }

  const std::vector<Update>& updates() const { return updates_; }
  const History& history() const { return history_; }
  /// Of training, up to the last update.
  double seconds() const { return updates_.empty() ? 0.0 : updates_.back().seconds; }
  /// What was found wrong with the log when it was opened, a sentence each: lines that could not be read, evaluations
  /// that it did not have as `history` has them, bytes that are not as the run wrote them.
  std::vector<std::string> notes() const;

 private:
  void take(std::string_view line, int64_t step, std::vector<Evaluation>& evaluations);
  void take_accuracies(const std::vector<Evaluation>& logged);
  void write_to(const std::function<void(std::string_view)>& take) const;
  bool is_written() const { return file_.get() >= 0; }
  void append(const std::string& line);
  void taken(std::string_view text);

  std::string line_of(const Evaluation& evaluation) const;

  std::string path_;
  double bytes_per_target_;
  Descriptor file_;
  std::vector<Update> updates_;
  History history_;
  int64_t unreadable_ = 0, restored_ = 0;
  bool touched_ = false, missing_ = false;
  Hasher hasher_;  ///< of all that is in the file
  int64_t bytes_ = 0;
};

/// What a log tells that must have been saved by then; nothing where there is none.
struct LoggedProgress {
  bool checkpoint = false;  ///< an update behind the first checkpoint
  bool best = false;        ///< an evaluation behind the first, which was the best then
};
LoggedProgress logged_progress(const std::string& path, int64_t checkpoint_interval);

}  // namespace weft
