// The number of threads, set and seen.
#pragma once

#include <weft/lib/machine/parallel.h>

#include <atomic>
#include <thread>

namespace weft::test {

/// Sets the number of threads while it lives.
class Threads {
 public:
  explicit Threads(int threads) : before_(num_threads()) { set_num_threads(threads); }
  ~Threads() { set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

/// How many of so many threads come together in one loop: the tiles wait for each other.
inline int meet(int threads) {
  std::atomic<int> waiting{0};
  parallel_for(threads, 1, [&](int64_t, int64_t) {
    ++waiting;
    while (waiting < threads) std::this_thread::yield();
  });
  return waiting;
}

}  // namespace weft::test
