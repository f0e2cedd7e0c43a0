// Dry runs: how much memory a computation would take, without computing.
//
//   const DryRun dry;
//   Model model(...);
//   model.loss({Array({B, T}, int64), Array({B, T}, int64)}).sum.backward();
//   memory_stats().peak;  // of what was done since `dry`
#pragma once

#include <weft/lib/machine/memory.h>

#include <memory>

namespace weft {

/// While it lives, loops of this thread (parallel.h) do nothing, and its buffers come from a pool of their
/// own, which only reserves addresses: any size costs next to no memory or time. memory_stats() and its kin
/// tell of that pool. Values are anything: nothing may be kept that was computed, and what is read for its
/// values, ids say, must be written by the caller, or made before anything is freed: then it is zeros.
/// MemoryError when even the addresses do not suffice, or the system counts them as memory (ulimit -d, or
/// vm.overcommit_memory = 2).
class DryRun {
 public:
  [[nodiscard]] DryRun();
  ~DryRun();
  DryRun(const DryRun&) = delete;
  DryRun& operator=(const DryRun&) = delete;

  /// Whether this thread is in one.
  static bool active();

 private:
  std::shared_ptr<detail::Pool> before_;
};

}  // namespace weft
