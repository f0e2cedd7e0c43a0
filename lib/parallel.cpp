#include <omp.h>
#include <weft/lib/cores.h>
#include <weft/lib/error.h>
#include <weft/lib/parallel.h>
#include <xmmintrin.h>

#include <algorithm>
#include <atomic>
#include <exception>

namespace weft {

namespace {

std::atomic<int> chosen_threads{0};
thread_local bool inside_loop = false;

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

} // namespace

int num_threads() {
  const int chosen = chosen_threads.load(std::memory_order_relaxed);
  return chosen > 0 ? chosen : available_cores();
}

void set_num_threads(int threads) {
  if (threads < 1 || threads > 1024) fail<ValueError>("threads: ", threads, " is not between 1 and 1024");
  chosen_threads.store(threads, std::memory_order_relaxed);
}

namespace detail {

void run_tiles(int64_t tiles, void (*run)(void*, int64_t), void* context) {
  const int team = static_cast<int>(std::min<int64_t>(tiles, num_threads()));
  if (team <= 1 || inside_loop) {
    const FloatMode mode;
    for (int64_t i = 0; i < tiles; ++i) run(context, i);
    return;
  }
  std::exception_ptr error;
  std::atomic<bool> failed{false};
#pragma omp parallel num_threads(team)
  {
    const FloatMode mode;
    inside_loop = true;
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
  }
  if (error) std::rethrow_exception(error);
}

} // namespace detail

} // namespace weft
