// Parallel loops over outputs. The one place that knows OpenMP.
//
// The tiles depend on the count and the tile size alone; threads only decide who does which tile. A body that
// writes only its own outputs therefore gives the same bits with any number of threads.
#pragma once

#include <weft/lib/machine/cores.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace weft {

/// Threads that parallel_for uses: those set, else the cores that the affinity mask and the cgroup quota
/// grant.
int num_threads();
/// ValueError below 1 or above 1024. Asking for more threads than cores is allowed.
void set_num_threads(int threads);

/// Number of this thread among those of the loop whose body it runs, below num_threads(); 0 outside of loops.
/// For scratch memory, never for results.
int thread_index();

namespace detail {
void run_tiles(int64_t tiles, void (*run)(void*, int64_t), void* context);
void run_with_team(void (*run)(void*), void* context);
}  // namespace detail

/// Calls body(begin, end) for the tiles [0, tile), [tile, 2 tile), ... of [0, count). The first exception of
/// a body is rethrown here once all threads are done. Loops inside a body run on its thread where the
/// outer one is shared by several. Tiles are at least 1 long. Every thread computes with round-to-nearest and
/// with subnormal numbers kept, whatever the caller's mode.
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

/// f() with a team of num_threads() threads that stays for as long as f runs: the loops of this thread begin
/// on it within a microsecond, and never wait for a thread that did not come to begin a tile, which is what
/// makes loops slow on cores that are shared with other work. Between loops a thread of the team stays awake
/// for 0.1 ms, then sleeps. For programs, around all that they compute:
///   int main() { return weft::with_thread_team([] { return train(); }); }
/// Without it each loop opens and closes a parallel region of its own. Exceptions of f pass; inside another
/// team, or a loop, it just calls f. Later set_num_threads may ask for fewer threads, not for more.
template <class F>
auto with_thread_team(F&& f) {
  using Result = std::invoke_result_t<F&>;
  if constexpr (std::is_void_v<Result>) {
    auto work = [&f] { f(); };
    detail::run_with_team([](void* w) { (*static_cast<decltype(work)*>(w))(); }, &work);
  } else {
    std::optional<Result> result;
    auto work = [&] { result.emplace(f()); };
    detail::run_with_team([](void* w) { (*static_cast<decltype(work)*>(w))(); }, &work);
    return std::move(*result);
  }
}

}  // namespace weft
