// RunLog: what a run has done so far, in one store: updates and evaluations, in memory and as metrics.jsonl, one object
// a line, appended as the run goes. Beside it metrics.digest holds how many of its bytes were there at the last sync(),
// and their digest, so that a log which something else has touched since is known for one; and metrics.csv the same as a
// table, a row for each line, with a column for each key of either kind of line. A cell is empty where its line has no
// such key: a row of an evaluation has no loss, one of an update no val_loss. It follows from the log, and is written anew
// where it is another when the log is opened.
#pragma once

#include <weft/lib/base/held_folder.h>
#include <weft/train/files/appended_file.h>
#include <weft/train/files/history.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// Of one update: its number, the mean loss before it, and what it ran at; `seconds` of training so far. tokens_per_second,
/// `seconds` and `memory_bytes` are of the clock and the machine, the others the same in every run like it.
struct Update {
  int64_t step = 0;
  double loss = 0;
  double lr = 0;
  double grad_norm = 0;
  double tokens_per_second = 0;
  double seconds = 0;
  std::optional<int64_t> tokens = {};        ///< targets learned from so far, with its own
  std::optional<int64_t> memory_bytes = {};  ///< of the process, in RAM (resident_set())
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
  void call(const std::string& path);

  const std::vector<Update>& updates() const { return updates_; }
  const History& history() const { return history_; }
  double bytes_per_target() const { return bytes_per_target_; }
  /// Of training, up to the last update.
  double seconds() const { return updates_.empty() ? 0.0 : updates_.back().seconds; }
  /// What was found wrong with the log when it was opened, a sentence each: lines that could not be read, evaluations
  /// that it did not have as `history` has them, bytes that are not as the run wrote them.
  std::vector<std::string> notes() const;

 private:
  void take(std::string_view line, int64_t step, std::vector<Evaluation>& evaluations);
  void take_accuracies(const std::vector<Evaluation>& logged);
  /// What a line is made of: it, as a line of the log or a row of the table.
  struct Form;
  void write_to(const Form& form, const std::function<void(std::string_view)>& take) const;
  void open_table(const HeldFolder& folder);
  template <class Entry>
  void append(const Entry& entry);
  void taken(std::string_view text);

  std::string path_;
  double bytes_per_target_;
  AppendedFile file_, table_;
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
