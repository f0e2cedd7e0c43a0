// Where words go: results to standard output, everything else to standard error.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace weft {

/// What the program is called in lines that are to be typed next: "weft", unless it was set.
const std::string& program_name();
void set_program_name(std::string name);

/// Writes to standard output at once. FileError when it cannot take it (a full disk, a closed pipe).
void write_out(std::string_view text);

/// Whether consoles say nothing from now on: of several processes one speaks.
void set_silent(bool silent);

/// Standard error: lines, and in a terminal a last line that renews itself.
class Console {
 public:
  Console();
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  bool is_terminal() const { return terminal_; }
  /// A line that stays.
  void print(std::string_view line);
  /// In a terminal: puts a line in place of the last such one, at most ten times a second, cut to the window.
  void renew(std::string_view line);
  /// Takes the renewing line away.
  void clear();

 private:
  bool terminal_;
  bool showing_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace weft
