// Parallel loops over outputs. The one place that knows OpenMP.
//
// The tiles depend on the count and the tile size alone; threads only decide who does which tile. A body that
// writes only its own outputs therefore gives the same bits with any number of threads.
#pragma once

#include <weft/lib/machine/cores.h>

#include <cstdint>
#include <memory>
#include <type_traits>

namespace weft {

/// Threads that parallel_for uses: those set, else the cores that the affinity mask and the cgroup quota
/// grant.
int num_threads();
/// ValueError below 1 or above 1024. Asking for more threads than cores is allowed.
void set_num_threads(int threads);

/// Number of this thread among those of the loop whose body it runs: no two of them have the same, and all
/// are below what num_threads() was when the loop began. 0 outside of loops. For scratch memory
/// of one loop, never for results.
int thread_index();

namespace detail {
void run_tiles(int64_t tiles, void (*run)(void*, int64_t), void* context);
}  // namespace detail

/// Calls body(begin, end) for the tiles [0, tile), [tile, 2 tile), ... of [0, count). The first exception of
/// a body is rethrown here once all threads are done. Loops inside a body run on its thread where the
/// outer one is shared by several. Tiles are at least 1 long. Every thread computes with round-to-nearest and
/// with subnormal numbers kept, whatever the caller's mode.
///
/// The threads are one team for the whole process. It starts with the first loop that more than one thread
/// can share, grows when set_num_threads asks for more, and ends with the process; fork() gives the child one
/// of its own. A loop begins on it within a microsecond, and never waits for a thread that did not come to
/// begin a tile, which is what makes loops slow on cores that are shared with other work. Between loops a
/// thread of the team stays awake for 0.1 ms, then sleeps. The team works for one thread of the program at a
/// time: a loop that another begins meanwhile is done by that other alone. MemoryError when the system gives
/// no thread.
template <class Body>
void parallel_for(int64_t count, int64_t tile, Body&& body) {
  if (count <= 0) return;
  if (tile < 1) tile = 1;
  struct Context {
    std::remove_reference_t<Body>* body;
    int64_t count, tile;
  } context{std::addressof(body), count, tile};
  detail::run_tiles((count + tile - 1) / tile,
                    [](void* c, int64_t i) {
                      auto& self = *static_cast<Context*>(c);
                      const int64_t begin = i * self.tile;
                      (*self.body)(begin, begin + self.tile < self.count ? begin + self.tile : self.count);
                    },
                    &context);
}

}  // namespace weft
