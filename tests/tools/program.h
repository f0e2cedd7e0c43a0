// Runs the program weft as a user does, and looks at what it leaves.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "folder.h"

using Arguments = std::vector<std::string>;

struct Result {
  int code = 0;  ///< exit code; 128 + n when signal n ended it
  std::string out, err;
};

/// A program under way.
class Program {
 public:
  struct Options {
    std::vector<std::string> environment = {};  ///< "NAME=value", beside the environment of the tests
    long file_limit = -1;                       ///< bytes that a file may grow to; -1 for no limit
    long memory_limit = -1;                     ///< bytes of addresses, likewise
    Arguments under = {};                       ///< a program, with arguments, that runs weft
    std::string program = {};                   ///< instead of weft: one with models of its own
  };
  /// Starts `weft ARGUMENTS...` in a folder.
  Program(const Folder& folder, const Arguments& arguments) : Program(folder, arguments, Options()) {}
  Program(const Folder& folder, const Arguments& arguments, const Options& options);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void send(int signal) const;
  /// Waits for its end.
  Result wait();
  bool running() const;
  /// What it has said on standard error up to now.
  std::string said() const { return folder_.read(err_); }
  /// Of the process.
  int id() const { return process_; }

 private:
  const Folder& folder_;
  std::string out_, err_;
  int process_ = -1;
};

Result run_weft(const Folder& folder, const Arguments& arguments, const Program::Options& options = {});

/// Arguments that train a model of 4,000 parameters in a few hundredths of a second; `more` are settings.
/// All of both.
Arguments with(Arguments arguments, const Arguments& more);
Arguments train(const std::string& out, const Arguments& more = {});
Arguments resume(const std::string& out, const Arguments& more = {});
/// The text they train on, as text.txt.
void write_text(const Folder& folder);
struct Text : Folder {
  Text() { write_text(*this); }
};

bool exists(const Folder& folder, const std::string& file);
using Names = std::vector<std::string>;
/// Names in a folder below, sorted.
Names listed(const Folder& folder, const std::string& below);
std::vector<std::string> lines_of(const std::string& text);
/// The number behind "NAME": in a line of JSON.
double number_in(const std::string& json, const std::string& name);
bool contains(const std::string& text, std::string_view part);
/// The bytes of a run's newest checkpoint and of its best.h5.
std::string last_saved(const Folder& folder, const std::string& run);
/// Checks that weft exits with 2, prints nothing, and says all parts.
void refused_with(const Folder& folder, const Arguments& arguments, const std::vector<std::string>& parts);
/// Waits until a condition holds; false after ten seconds.
template <class Condition>
bool wait_until(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition())
    if (std::chrono::steady_clock::now() > end) return false;
  return true;
}
