#include <omp.h>
#include <weft/lib/base/error.h>
#include <weft/lib/machine/cores.h>
#include <weft/lib/machine/dry_run.h>
#include <weft/lib/machine/parallel.h>
#include <xmmintrin.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace weft {

namespace {

std::atomic<int> chosen_threads{0};
thread_local bool inside_loop = false;
thread_local int index_in_loop = 0;

/// Round to nearest, all exceptions masked, subnormal numbers kept.
class FloatMode {
 public:
  FloatMode() : before_(_mm_getcsr()) { _mm_setcsr(0x1F80); }
  ~FloatMode() { _mm_setcsr(before_); }
  FloatMode(const FloatMode&) = delete;
  FloatMode& operator=(const FloatMode&) = delete;

 private:
  unsigned before_;
};

/// The loop that a team works at. Each thread begins with a part of the tiles of its own, the same part of
/// every loop of that length, so that what it wrote is still in its cache when it reads it, and then helps
/// the others from their ends. A part carries the number of the loop, so that a thread that comes late claims
/// nothing of the next one by mistake. What a loop consists of is read only with a tile in hand, and the loop
/// does not end before that tile does.
class Team {
 public:
  explicit Team(int threads) : parts_(static_cast<size_t>(threads)) {}

  void run(int64_t tiles, void (*body)(void*, int64_t), void* context) {
    for (int64_t begin = 0; begin < tiles; begin += most_tiles) {
      const int64_t count = std::min(most_tiles, tiles - begin);
      const auto sharing = static_cast<int64_t>(threads());
      begin_ = begin, run_ = body, context_ = context;
      error_ = nullptr;
      failed_.store(false, std::memory_order_relaxed);
      unfinished_.store(static_cast<uint32_t>(count), std::memory_order_relaxed);
      loop_ = (loop_ + 1) % (uint64_t{1} << (64 - 2 * bits));
      for (int64_t t = 0; t < sharing; ++t) {
        parts_[static_cast<size_t>(t)].tiles.store(packed(loop_, static_cast<uint64_t>(count * t / sharing),
                                                          static_cast<uint64_t>(count * (t + 1) / sharing)),
                                                   std::memory_order_release);
      }
      epoch_.fetch_add(1);
      if (sleepers_.load() > 0) epoch_.notify_all();
      take_tiles(0);
      wait(unfinished_, [](uint32_t left) { return left == 0; });
      if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    }
  }

  /// What a thread other than the owner's does until close().
  void work(int thread) {
    while (true) {
      const uint32_t epoch = epoch_.load(std::memory_order_acquire);
      if (closed_.load(std::memory_order_acquire)) return;
      if (thread < threads()) take_tiles(static_cast<size_t>(thread));
      ++sleepers_;
      wait(epoch_, [epoch](uint32_t now) { return now != epoch; });
      --sleepers_;
    }
  }

  void close() {
    closed_.store(true, std::memory_order_release);
    epoch_.fetch_add(1);
    epoch_.notify_all();
  }

 private:
  /// Tiles that are left of a thread's part: the number of the loop, the first and the end, in 22, 21 and 21
  /// bits.
  struct alignas(64) Part {
    std::atomic<uint64_t> tiles{0};
  };
  static constexpr int bits = 21;
  static constexpr uint64_t mask = (uint64_t{1} << bits) - 1;
  static constexpr int64_t most_tiles = int64_t{1} << 20;
  static constexpr auto awake = std::chrono::microseconds(100);

  static uint64_t packed(uint64_t loop, uint64_t first, uint64_t end) {
    return loop << 2 * bits | first << bits | end;
  }

  int threads() const { return std::min(num_threads(), static_cast<int>(parts_.size())); }

  void take_tiles(size_t own) {
    for (size_t i = 0; i < parts_.size(); ++i) {
      std::atomic<uint64_t>& tiles = parts_[(own + i) % parts_.size()].tiles;
      uint64_t seen = tiles.load(std::memory_order_acquire);
      while (true) {
        const uint64_t first = seen >> bits & mask, end = seen & mask;
        if (first == end) break;
        const bool mine = i == 0;
        const uint64_t rest = packed(seen >> 2 * bits, mine ? first + 1 : first, mine ? end : end - 1);
        if (!tiles.compare_exchange_weak(seen, rest, std::memory_order_acq_rel, std::memory_order_acquire))
          continue;
        run_tile(begin_ + static_cast<int64_t>(mine ? first : end - 1));
        if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_one();
        seen = tiles.load(std::memory_order_acquire);
      }
    }
  }

  void run_tile(int64_t tile) {
    if (failed_.load(std::memory_order_relaxed)) return;
    try {
      run_(context_, tile);
    } catch (...) {
      if (!failed_.exchange(true)) error_ = std::current_exception();
    }
  }

  /// Returns when `done` holds of the value: awake for a while, unless there are more threads than cores,
  /// then asleep.
  template <class Done>
  static void wait(std::atomic<uint32_t>& value, Done done) {
    uint32_t now = value.load(std::memory_order_acquire);
    if (done(now)) return;
    if (num_threads() <= available_cores()) {
      const auto until = std::chrono::steady_clock::now() + awake;
      do {
        for (int i = 0; i < 64; ++i) {
          _mm_pause();
          if (done(now = value.load(std::memory_order_acquire))) return;
        }
      } while (std::chrono::steady_clock::now() < until);
    }
    for (; !done(now); now = value.load(std::memory_order_acquire)) value.wait(now);
  }

  void (*run_)(void*, int64_t) = nullptr;
  void* context_ = nullptr;
  int64_t begin_ = 0;
  uint64_t loop_ = 0;
  std::exception_ptr error_;
  std::atomic<bool> failed_{false}, closed_{false};
  std::vector<Part> parts_;
  alignas(64) std::atomic<uint32_t> unfinished_{0};
  alignas(64) std::atomic<uint32_t> epoch_{0};
  std::atomic<int> sleepers_{0};
};

/// The team of this thread, inside with_thread_team.
thread_local Team* own_team = nullptr;

}  // namespace

int num_threads() {
  const int chosen = chosen_threads.load(std::memory_order_relaxed);
  return chosen > 0 ? chosen : available_cores();
}

void set_num_threads(int threads) {
  if (threads < 1 || threads > 1024) fail<ValueError>("threads: ", threads, " is not between 1 and 1024");
  chosen_threads.store(threads, std::memory_order_relaxed);
}

int thread_index() { return index_in_loop; }

namespace detail {

void run_tiles(int64_t tiles, void (*run)(void*, int64_t), void* context) {
  if (DryRun::active()) return;
  const int team = static_cast<int>(std::min<int64_t>(tiles, num_threads()));
  if (team <= 1 || inside_loop) {
    const FloatMode mode;
    for (int64_t i = 0; i < tiles; ++i) run(context, i);
    return;
  }
  if (own_team) {
    const FloatMode mode;
    inside_loop = true;
    const auto leave = [](bool* inside) { *inside = false; };
    const std::unique_ptr<bool, decltype(leave)> inside(&inside_loop, leave);
    own_team->run(tiles, run, context);
    return;
  }
  std::exception_ptr error;
  std::atomic<bool> failed{false};
#pragma omp parallel num_threads(team)
  {
    const FloatMode mode;
    inside_loop = true;
    index_in_loop = omp_get_thread_num();
#pragma omp for schedule(dynamic, 1)
    for (int64_t i = 0; i < tiles; ++i) {
      if (failed.load(std::memory_order_relaxed)) continue;
      try {
        run(context, i);
      } catch (...) {
        if (!failed.exchange(true)) error = std::current_exception();
      }
    }
    inside_loop = false;
    index_in_loop = 0;
  }
  if (error) std::rethrow_exception(error);
}

void run_with_team(void (*run)(void*), void* context) {
  const int threads = num_threads();
  if (threads <= 1 || own_team || inside_loop) return run(context);
  Team team(threads);
  std::exception_ptr error;
#pragma omp parallel num_threads(threads)
  {
    if (omp_get_thread_num() == 0) {
      own_team = &team;
      try {
        run(context);
      } catch (...) {
        error = std::current_exception();
      }
      own_team = nullptr;
      team.close();
    } else {
      const FloatMode mode;
      inside_loop = true;
      index_in_loop = omp_get_thread_num();
      team.work(index_in_loop);
      index_in_loop = 0;
      inside_loop = false;
    }
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace detail

}  // namespace weft
