// StepLines: a file of a run's folder with one object of JSON a line, {"step":250,...}, in the order of the steps: what is
// shown of a run, and no part of its state. It is appended to as the run goes, and cut where the run goes on.
#pragma once

#include <weft/train/files/appended_file.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weft {

class StepLines {
 public:
  /// Bytes that a line may have.
  static constexpr size_t longest = size_t{1} << 28;

  /// Takes the file up as a run had it that stands before step `end`: lines of that step and later are cut off, and what is
  /// no such line too. The file may be of any size; it is made with the first line.
  StepLines(const HeldFolder& folder, std::string path, int64_t end);

  /// The last line's; -1 while there is none.
  int64_t last_step() const { return last_; }
  /// Lines that were no such when it was opened.
  int64_t unreadable() const { return unreadable_; }
  const std::string& path() const { return path_; }

  /// `line` without a newline. ValueError unless its step is later than last_step().
  void add(const HeldFolder& folder, int64_t step, std::string_view line);
  /// Brings what was added to the disk.
  void sync() const { file_.sync(); }
  /// Its folder has been renamed.
  void call(const std::string& path);

 private:
  std::string path_;
  AppendedFile file_;
  int64_t last_ = -1, unreadable_ = 0;
};

/// The step of such a line; -1 where it is none.
int64_t step_of_line(std::string_view line);

}  // namespace weft
