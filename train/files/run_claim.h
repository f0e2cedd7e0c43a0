// Who may write in the folder of a run.
//
// A claim holds the folder itself and not its name: it is locked before anything in it is looked at, and a folder that
// is removed, or replaced by another of the name, is not written into.
#pragma once

#include <weft/lib/base/held_folder.h>
#include <weft/train/files/run_folder.h>

#include <optional>
#include <string>
#include <vector>

namespace weft {

/// A folder and its lock, RUN/.lock; no lock of one that is only read.
struct LockedFolder {
  HeldFolder folder;
  std::optional<FileLock> lock;
};

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
  /// Looks into the folder of a run that another process has claimed, and writes nothing.
  static RunClaim watch(const std::string& path);

  RunClaim(RunClaim&&) noexcept;
  RunClaim& operator=(RunClaim&&) = delete;
  /// Removes what create made, unless keep() was called.
  ~RunClaim();

  /// Where to write. Of a run that overwrites another, until change_over(), a folder beside: RUN.weft-new.
  const RunFolder& folder() const { return folder_; }
  /// The same, as writers need it.
  const HeldFolder& held() const { return held_.folder; }
  /// Whether this process is the one that writes.
  bool writes() const { return held_.lock.has_value(); }
  /// What folder().path is once the run is made.
  const std::string& called() const { return replaced_ ? replaced_->path : folder_.path; }
  /// Whether there is a run to be replaced.
  bool overwrites() const { return replaced_.has_value(); }
  /// Puts the new run, in which something is saved by now, in the place of the old one in one step, then removes the old
  /// one, and nothing else that lay in its folder. Killed at any instant it leaves the one or the other, whole; the next claim tidies up.
  void change_over();
  /// From now on the folder stays.
  void keep() { made_.clear(); }

 private:
  RunClaim(std::string path, LockedFolder held) : folder_{std::move(path)}, held_(std::move(held)) {}

  struct Replaced {
    std::string path, place;  ///< the run's folder as it was typed, and where a link of that name leads
    LockedFolder held;
  };

  RunFolder folder_;
  LockedFolder held_;
  std::optional<Replaced> replaced_;
  std::vector<std::string> made_;  ///< folders that were not there before, outermost first
};

}  // namespace weft
