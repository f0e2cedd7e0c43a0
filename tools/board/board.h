// The runs that `weft board` follows, and what its page asks for. Only runs that were named when it began, or that lie in
// a folder that was, are ever looked at; the page calls them by number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "board_run.h"

namespace weft::tools {

/// Several threads may ask at once.
class Board {
 public:
  /// Each is a run's folder, or a folder that holds such, which is looked through again at each read(). FileError for what
  /// is no folder.
  explicit Board(const std::vector<std::string>& folders);

  /// Reads what is new. Where that is much it is some megabytes at a time, of one run after the other, so that nobody waits.
  void read();
  /// Reads all that there is.
  void read_all();
  size_t size() const;
  /// Folders in which no run has been seen so far.
  std::vector<std::string> empty_folders() const;

  /// {"board": B, "version": v, "empty": [folders], "runs": [{"id", "version", ...}]}: the runs that have changed since
  /// version `since` of the board B, all for another board; of each what BoardRun::json() says.
  std::string runs_json(const std::string& board, uint64_t since) const;

  /// What of a curve is wanted: all of it in at most `most` buckets, without those before `known_until` if it still is of
  /// this generation and level; or what lies in [from, to] of an axis.
  struct Wanted {
    std::string curve = "updates";  ///< or "evaluations"
    size_t most = 1000;
    int64_t generation = -1;
    int level = -1;
    size_t known_until = 0;
    bool is_part = false;
    Series::Axis axis = Series::Axis::step;
    double from = 0, to = 0;
  };
  /// {"generation": g, ...} and what Series::json() says. ValueError for a run or a curve that there is not; so below.
  std::string curve_json(size_t run, const Wanted& wanted) const;
  /// BoardRun::sample_json(), StatisticsLog::json().
  std::string sample_json(size_t run, size_t number) const;
  std::string statistics_json(size_t run, const std::string& part, const std::string& measure) const;

  /// All of it for a page that asks nobody: {"runs": as above, "curves": {id: {"updates", "evaluations"}}, "samples":
  /// {id: [...]}, "statistics": {id: {part: {measure: ...}}}}. The runs share some 30,000 buckets, each has 100 samples at most,
  /// its first and its last among them, and 400,000 numbers of statistics.
  std::string whole_json() const;

 private:
  struct Folder {
    std::string path;
    bool had_runs = false;
  };
  struct Entry {
    std::unique_ptr<BoardRun> run;
    uint64_t version = 0;
    std::string place;  ///< without links: the same folder is not followed twice
  };

  void look_for_runs();
  void add(const std::string& path);
  std::string runs_since(uint64_t since) const;
  const BoardRun& at(size_t run) const;

  std::vector<Folder> folders_;
  std::string board_;  ///< another one for each that is made
  std::vector<Entry> runs_;
  uint64_t version_ = 0;
  size_t first_read_ = 0;  ///< the run whose turn it is
  mutable std::mutex mutex_;
};

}  // namespace weft::tools
