// The folder of a run: what lies where, who may write in it, and which checkpoints stay.
//
//   config.toml   metrics.jsonl   best.h5   loss.svg   checkpoints/step-00002000.h5   cache/   .lock
//   trace.json, after --profile
#pragma once

#include <weft/lib/base/file.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace weft {

/// Names in a run's folder.
struct RunFolder {
  std::string path;

  std::string config() const { return path + "/config.toml"; }
  std::string metrics() const { return path + "/metrics.jsonl"; }
  std::string best() const { return path + "/best.h5"; }
  std::string plot() const { return path + "/loss.svg"; }
  std::string trace() const { return path + "/trace.json"; }
  std::string cache() const { return path + "/cache"; }
  /// The caches of the runs beside this one.
  std::vector<std::string> caches_beside() const;
  std::string checkpoints() const { return path + "/checkpoints"; }
  std::string checkpoint(int64_t step) const;
  /// Steps of the checkpoints, ascending; none when there is no such folder.
  std::vector<int64_t> steps() const;
  /// Whether anything of a run is in it.
  bool holds_run() const;
};
/// The run that a file lies in, as best.h5 or as one of its checkpoints.
std::optional<RunFolder> run_of(const std::string& file);

/// A run's folder, locked against other processes.
class RunClaim {
 public:
  /// Makes the folder, and those above it; one that is there must be empty, or hold a run if `overwrite`.
  /// FileError with what stands in the way.
  static RunClaim create(const std::string& path, bool overwrite);
  /// Makes the first free of runs/NAME, runs/NAME-2, ...
  static RunClaim create_free(const std::string& name);
  /// Takes a run that is there.
  static RunClaim open(const std::string& path);

  RunClaim(RunClaim&&) noexcept;
  RunClaim& operator=(RunClaim&&) = delete;
  /// Removes what create made, unless keep() was called.
  ~RunClaim();

  const RunFolder& folder() const { return folder_; }
  /// Whether it held a run before.
  bool overwrites() const { return overwrites_; }
  /// Removes the run that was there, and nothing else.
  void clear() const;
  /// From now on the folder stays.
  void keep() { made_.clear(); }

 private:
  explicit RunClaim(std::string path) : folder_{std::move(path)} {}
  void lock();

  RunFolder folder_;
  std::vector<std::string> made_;  ///< folders that were not there before, outermost first
  std::optional<FileLock> lock_;
  bool overwrites_ = false;
};

/// Removes all but the newest `keep` checkpoints (0 keeps all) up to `newest`, those after it, which turned
/// out to be damaged, and `stopped_at`: what a stop between two regular checkpoints left (-1 for none).
void prune_checkpoints(const RunFolder& folder, int64_t newest, int64_t keep, int64_t stopped_at);

}  // namespace weft
