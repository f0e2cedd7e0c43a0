// Processes: those of one program that `mpirun` has started together, on one machine or many, and that compute together.
//
//   Processes& processes = Processes::joined();       // one that was started alone is a group of one
//   const std::vector<std::string> all = processes.gather(mine);
//   ...
//   processes.leave();
//
// MPI is not linked: the plug-in weft-mpi is loaded when there are others. A thread of its own does all that goes between
// processes, while the others compute; it hears from the process before it every second, or more often. When one is silent for
// WEFT_PROCESS_TIMEOUT seconds (60) - it was stopped, or its machine cannot be reached -, has ended, or has failed, then
// every call here, and every wait for it, throws ProcessError with its number, its machine and what it said. To join, all
// are given ten times as long.
#pragma once

#include <weft/lib/array/dtype.h>
#include <weft/lib/base/error.h>
#include <weft/lib/processes/shards.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weft {

/// Another process is silent, has ended or has failed.
struct ProcessError : Error {
  using Error::Error;
};
/// Not all processes have joined in time.
struct JoinError : ProcessError {
  using ProcessError::ProcessError;
};

/// What is to be added up over all processes: `count` numbers of each subtree of the shards (shards.h) that a process
/// computes. The functions are called from another thread, until the sum is finished.
struct ShardSum {
  DType dtype = DType::float32;  ///< float32 or float64
  int64_t count = 0;
  int64_t shards = 1;  ///< in all; process r has part_of(shards, size, r)
  /// Copies numbers [begin, end) of this process's subtree number `subtree`.
  std::function<void(size_t subtree, int64_t begin, int64_t end, void* to)> read;
  /// Takes those of the sum.
  std::function<void(int64_t begin, int64_t end, const void* from)> write;
};

/// What has gone between processes so far, seen from this one.
struct ProcessTraffic {
  int64_t sent = 0;      ///< bytes of sums and gathers, to others
  double busy = 0;       ///< seconds in which a sum was under way
  double waited = 0;     ///< seconds in which finish_sums() waited
  int64_t messages = 0;  ///< to others
};

class Processes {
 public:
  /// Those that this program was started with; they are joined at the first call. FileError when the plug-in is missing;
  /// ProcessError when they cannot be joined, or when this program was itself started by one of them. After a JoinError, which
  /// one of them has first, the process must end at once: its thread is within MPI.
  static Processes& joined();
  /// Whether mpirun has started more than one, and which of them this is, without joining them.
  static bool are_several();
  static int rank_of_start();

  ~Processes();
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  int rank() const;
  int size() const;
  bool is_first() const { return rank() == 0; }
  /// "process 2 (host b)".
  std::string called(int rank) const;
  /// Processes on this machine, and those that may use the same cores as this one, itself among them.
  int on_this_machine() const;
  int sharing_cores() const;
  /// The shards that this process computes, of so many. ValueError when there are fewer shards than processes.
  NumberRange shards(int64_t all) const;

  /// From each to all, by rank. Every process calls the functions from here on, in the same order, from one thread.
  std::vector<std::string> gather(const std::string& mine);
  /// The first one's.
  std::string from_first(const std::string& text);
  /// Begins a sum, and returns at once.
  void start_sum(ShardSum sum);
  /// Returns when all sums that were begun are written.
  void finish_sums();

  /// Throws when another one is silent, has ended or has failed. Costs next to nothing.
  void check() const;
  /// Tells the others that this process has failed, and why, and hears what they say. Whether this one is to tell it to the
  /// user: one of them is.
  bool report_failure(const std::string& why);
  /// Waits for the others, and ends the group in order; from then on this is a group of one. False when the others cannot be
  /// waited for, after a failure or because one was stopped while it left: then the process must end at once, without a
  /// further word of MPI.
  bool leave();

  ProcessTraffic traffic() const;

 private:
  Processes();
  void introduce();
  struct Group;
  std::unique_ptr<Group> group_;  ///< none of one that is alone
};

}  // namespace weft
