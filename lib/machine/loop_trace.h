// What loops consist of: an estimate of what more threads would bring, on a machine that has fewer.
//
//   LoopTimes times;
//   double alone;  // the seconds of the step, on this thread alone
//   {
//     const LoopTrace trace(times);
//     alone = seconds_of([&] { step(); });
//   }
//   alone - times.seconds(1) + times.seconds(16);  // by sixteen threads, at best: what is no loop is not shared
#pragma once

#include <cstdint>
#include <vector>

namespace weft {

/// Loops in their order, and the seconds of each of their tiles.
class LoopTimes {
 public:
  /// How long all of them would take `threads` threads that share tiles as those of a team do (parallel.h) and are never
  /// held up: each tile as long as here, beginning and ending a loop nothing. ValueError below 1.
  double seconds(int threads) const;
  /// Loops that more than one thread can share.
  int64_t shared_loops() const;
  /// Of each tile the shorter time, of here and of `again`, the same loops once more: without what came between. ValueError
  /// for others.
  void keep_shorter(const LoopTimes& again);

  void add(std::vector<float> tiles);

 private:
  std::vector<std::vector<float>> loops_;
};

/// While it lives, loops of this thread run on it alone, and their times are added. Loops inside a tile belong to it. One a
/// thread at a time: StateError for another.
class LoopTrace {
 public:
  [[nodiscard]] explicit LoopTrace(LoopTimes& times);
  ~LoopTrace();
  LoopTrace(const LoopTrace&) = delete;
  LoopTrace& operator=(const LoopTrace&) = delete;

  /// Of this thread, or null; and a loop that it times.
  static LoopTrace* current();
  void run(int64_t tiles, void (*body)(void*, int64_t), void* context);

 private:
  LoopTimes& times_;
};

}  // namespace weft
