// The folder of a run: what lies where, and which checkpoints stay.
//
//   config.toml   metrics.jsonl   metrics.digest   metrics.csv   best.h5   loss.svg   checkpoints/step-00002000.h5
//   cache/   .lock
//   samples.jsonl, once a sample was shown; statistics.jsonl, with stats_interval; trace.json, after --profile
//   events.out.tfevents.1700000000.weft, with tensorboard
#pragma once

#include <weft/lib/base/held_folder.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weft {

/// A path as somebody typed it, without the slashes at its end.
std::string without_slashes(std::string path);

/// Names in a run's folder.
struct RunFolder {
  std::string path;

  std::string config() const { return path + "/config.toml"; }
  std::string metrics() const { return path + "/metrics.jsonl"; }
  std::string digest() const { return path + "/metrics.digest"; }
  std::string table() const { return path + "/metrics.csv"; }
  std::string samples() const { return path + "/samples.jsonl"; }
  std::string statistics() const { return path + "/statistics.jsonl"; }
  /// Of TensorBoard, in their order; those that are there.
  std::vector<std::string> events() const;
  /// "events.out.tfevents.1700000000.weft": a name behind all of those, of this second if it can be.
  std::string next_events(int64_t second) const;
  std::string best() const { return path + "/best.h5"; }
  std::string mistakes() const { return path + "/mistakes.html"; }
  std::string plot() const { return path + "/loss.svg"; }
  std::string trace() const { return path + "/trace.json"; }
  std::string cache() const { return path + "/cache"; }
  /// The caches of the runs beside this one.
  std::vector<std::string> caches_beside() const;
  std::string checkpoints() const { return path + "/checkpoints"; }
  std::string checkpoint(int64_t step) const;
  /// Steps of the checkpoints, ascending; none when there is no such folder. FileError when it cannot be listed.
  std::vector<int64_t> steps() const;
  /// What tells of the run and is no part of its state, whether it is there or not: the log, and what is shown.
  std::vector<std::string> records() const;
  /// All files that a run, or an evaluation of it, writes in the folder itself, whether they are there or not; checkpoints,
  /// cache and lock apart.
  std::vector<std::string> files() const;
  /// Whether anything of a run is in it.
  bool holds_run() const;
};
/// The run that a file lies in, as best.h5 or as one of its checkpoints.
std::optional<RunFolder> run_of(const std::string& file);

/// Refuses a path that a command is to write its result to when that cannot be written, or holds a checkpoint or another
/// file that a run writes: FileError.
void check_output(const std::string& path);

/// Removes all but the newest `keep` checkpoints (0 keeps all) up to `newest`, those after it, which turned
/// out to be damaged, and `stopped_at`: what a stop between two regular checkpoints left (-1 for none).
void prune_checkpoints(const HeldFolder& held, const RunFolder& folder, int64_t newest, int64_t keep,
                       int64_t stopped_at);

}  // namespace weft
