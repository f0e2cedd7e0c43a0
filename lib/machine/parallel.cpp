#include <omp.h>
#include <pthread.h>
#include <weft/lib/base/error.h>
#include <weft/lib/machine/cores.h>
#include <weft/lib/machine/dry_run.h>
#include <weft/lib/machine/loop_trace.h>
#include <weft/lib/machine/parallel.h>
#include <xmmintrin.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace weft {

namespace {

std::atomic<int> chosen_threads{0};
thread_local bool inside_loop = false;
thread_local int index_in_loop = 0;

/// How a thread computes: round to nearest, all exceptions masked, subnormal numbers kept; and a BLAS called
/// from here, which asks OpenMP how many threads it may take, takes none.
class ComputeMode {
 public:
  ComputeMode() : float_mode_(_mm_getcsr()), threads_(omp_get_max_threads()) {
    _mm_setcsr(0x1F80);
    omp_set_num_threads(1);
  }
  ~ComputeMode() {
    omp_set_num_threads(threads_);
    _mm_setcsr(float_mode_);
  }
  ComputeMode(const ComputeMode&) = delete;
  ComputeMode& operator=(const ComputeMode&) = delete;

 private:
  unsigned float_mode_;
  int threads_;
};

/// Marks this thread as the one of that number in a loop.
class InsideLoop {
 public:
  explicit InsideLoop(int index) {
    inside_loop = true;
    index_in_loop = index;
  }
  ~InsideLoop() {
    inside_loop = false;
    index_in_loop = 0;
  }
  InsideLoop(const InsideLoop&) = delete;
  InsideLoop& operator=(const InsideLoop&) = delete;

 private:
  ComputeMode mode_;
};

/// The loop that a team works at. Each thread begins with a part of the tiles of its own, the same part of
/// every loop of that length, so that what it wrote is still in its cache when it reads it, and then helps
/// the others from their ends. A part carries the number of the loop, so that a thread that comes late claims
/// nothing of the next one, which it may have no part in. What a loop consists of is read only with a tile in
/// hand, and the loop does not end before that tile does.
class Team {
 public:
  explicit Team(int threads) : parts_(static_cast<size_t>(threads)) {}

  int size() const { return static_cast<int>(parts_.size()); }

  /// Does a loop; the caller is thread 0.
  void run(int64_t tiles, void (*body)(void*, int64_t), void* context) {
    for (int64_t begin = 0; begin < tiles; begin += most_tiles) {
      const int64_t count = std::min(most_tiles, tiles - begin);
      const int64_t sharing = std::min(num_threads(), size());
      begin_ = begin, run_ = body, context_ = context;
      error_ = nullptr;
      failed_.store(false, std::memory_order_relaxed);
      unfinished_.store(static_cast<uint32_t>(count), std::memory_order_relaxed);
      const uint64_t loop = number_of(open_.load(std::memory_order_relaxed)) + 1;
      for (int64_t t = 0; t < sharing; ++t) {
        parts_[static_cast<size_t>(t)].tiles.store(packed(loop, static_cast<uint64_t>(count * t / sharing),
                                                          static_cast<uint64_t>(count * (t + 1) / sharing)),
                                                   std::memory_order_release);
      }
      open_.store(packed(loop, 0, static_cast<uint64_t>(sharing)), std::memory_order_release);
      epoch_.fetch_add(1);
      if (sleepers_.load() > 0) epoch_.notify_all();
      take_tiles(0, open_.load(std::memory_order_relaxed));
      wait(unfinished_, [](uint32_t left) { return left == 0; });
      if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    }
  }

  /// What thread 1 and those after it do until close().
  void work(int thread) {
    while (true) {
      const uint32_t epoch = epoch_.load(std::memory_order_acquire);
      if (closed_.load(std::memory_order_acquire)) return;
      take_tiles(thread, open_.load(std::memory_order_acquire));
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
  /// bits. open_ is the same of the threads that share the last loop.
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

  static uint64_t number_of(uint64_t word) { return word >> 2 * bits; }

  void take_tiles(int thread, uint64_t open) {
    const auto own = static_cast<size_t>(thread);
    if (own >= (open & mask)) return;
    for (size_t i = 0; i < parts_.size(); ++i) {
      std::atomic<uint64_t>& tiles = parts_[(own + i) % parts_.size()].tiles;
      uint64_t seen = tiles.load(std::memory_order_acquire);
      while (true) {
        const uint64_t first = seen >> bits & mask, end = seen & mask;
        if (first == end || number_of(seen) != number_of(open)) break;
        const bool mine = i == 0;
        const uint64_t rest = packed(number_of(seen), mine ? first + 1 : first, mine ? end : end - 1);
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
  std::exception_ptr error_;
  std::atomic<bool> failed_{false}, closed_{false};
  std::vector<Part> parts_;
  alignas(64) std::atomic<uint32_t> unfinished_{0};
  alignas(64) std::atomic<uint64_t> open_{0};
  std::atomic<uint32_t> epoch_{0};
  std::atomic<int> sleepers_{0};
};

/// A team and its threads. OpenMP gives them, all but the one that calls, in one parallel region, opened by a
/// thread made for it.
class Staff {
 public:
  explicit Staff(int threads) : team(threads), host_([this] { employ(); }) {}
  ~Staff() {
    team.close();
    host_.join();
  }
  Staff(const Staff&) = delete;
  Staff& operator=(const Staff&) = delete;

  Team team;

 private:
  void employ() {
#pragma omp parallel num_threads(team.size() - 1)
    {
      const int index = omp_get_thread_num() + 1;
      const InsideLoop inside(index);
      team.work(index);
    }
  }

  std::thread host_;
};

/// The staff of the process, which works for the thread that has taken it.
class Office {
 public:
  /// Never destroyed: static variables may begin loops to their last breath.
  static Office& only() {
    static Office* const the_office = new Office;
    return *the_office;
  }

  /// False when another thread has it, or the process is ending.
  bool take() { return !taken_.exchange(true, std::memory_order_acquire); }
  void give_back() { taken_.store(false, std::memory_order_release); }

  /// For the thread that has taken it: at least so many threads, the caller among them.
  Team& team(int threads) {
    if (staff_ == nullptr || staff_->team.size() < threads) {
      static const Closing close_at_exit;
      delete std::exchange(staff_, nullptr);
      try {
        staff_ = new Staff(threads);
      } catch (const std::system_error& error) {
        fail<MemoryError>("threads: the system gives none (", error.what(),
                          "); set_num_threads(1) does without");
      }
    }
    return staff_->team;
  }

 private:
  /// From within a loop, a process ends as it is: its threads would wait for the loop, and the loop for us.
  struct Closing {
    ~Closing() {
      if (!inside_loop && only().take()) delete std::exchange(only().staff_, nullptr);
    }
  };

  Office() { pthread_atfork(nullptr, nullptr, forget); }
  /// In the child of a fork the threads are gone, and whoever had taken them.
  static void forget() {
    only().staff_ = nullptr;
    only().give_back();
  }

  std::atomic<bool> taken_{false};
  Staff* staff_ = nullptr;
};

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

void detail::run_tiles(int64_t tiles, void (*run)(void*, int64_t), void* context) {
  if (DryRun::active()) return;
  if (LoopTrace* const trace = inside_loop ? nullptr : LoopTrace::current()) {
    const InsideLoop inside(0);
    trace->run(tiles, run, context);
    return;
  }
  const int threads = num_threads();
  if (tiles > 1 && threads > 1 && !inside_loop && Office::only().take()) {
    const auto give_back = [](Office* office) { office->give_back(); };
    const std::unique_ptr<Office, decltype(give_back)> office(&Office::only(), give_back);
    Team& team = office->team(threads);
    const InsideLoop inside(0);
    team.run(tiles, run, context);
    return;
  }
  std::optional<ComputeMode> mode;
  if (!inside_loop) mode.emplace();
  for (int64_t i = 0; i < tiles; ++i) run(context, i);
}

}  // namespace weft
