#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/lib/array/array.h>
#include <weft/lib/base/error.h>
#include <weft/lib/kernels/products/matmul.h>
#include <weft/lib/machine/parallel.h>
#include <xmmintrin.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <limits>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace weft;

namespace {

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

/// Begins a loop when the process ends: as it was made before the team, it goes after it.
struct AfterTheTeam {
  bool wanted = false;
  ~AfterTheTeam() {
    if (!wanted) return;
    std::atomic<int> tiles{0};
    const std::thread::id self = std::this_thread::get_id();
    parallel_for(10, 1, [&](int64_t, int64_t) {
      tiles += std::this_thread::get_id() == self;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
    if (tiles != 10) ::_exit(1);
  }
} after_the_team;

/// How many of so many threads come together in one loop: the tiles wait for each other.
int meet(int threads) {
  std::atomic<int> waiting{0};
  parallel_for(threads, 1, [&](int64_t, int64_t) {
    ++waiting;
    while (waiting < threads) std::this_thread::yield();
  });
  return waiting;
}

/// Of a child that does `work`; one that hangs is killed after 20 s, and has none.
template <class Work>
int exit_code_of_child(const Work& work) {
  std::cout.flush();
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    work();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("parallel_for covers every index once, in tiles that the shape alone decides") {
  for (const int threads : {1, 2, 3, 8}) {
    const Threads scope(threads);
    for (const int64_t count : {0, 1, 5, 64, 65, 1000}) {
      for (const int64_t tile : {1, 7, 64, 5000}) {
        std::vector<std::atomic<int>> seen(static_cast<size_t>(count));
        std::atomic<int> tiles{0}, wrong{0};
        parallel_for(count, tile, [&](int64_t begin, int64_t end) {
          ++tiles;
          if (begin % tile != 0 || end != std::min(begin + tile, count) || begin >= end) ++wrong;
          for (int64_t i = begin; i < end; ++i) ++seen[static_cast<size_t>(i)];
        });
        CHECK(wrong == 0);
        CHECK(tiles == (count + tile - 1) / tile);
        for (const auto& times : seen) REQUIRE(times == 1);
      }
    }
  }
  parallel_for(-3, 1, [](int64_t, int64_t) { FAIL("a tile of nothing"); });
}

TEST_CASE("parallel_for uses as many threads as were asked for") {
  for (const int threads : {1, 3}) {
    const Threads scope(threads);
    std::mutex mutex;
    std::set<std::thread::id> ids;
    std::atomic<int> waiting{0};
    parallel_for(threads, 1, [&](int64_t, int64_t) {
      {
        const std::lock_guard lock(mutex);
        ids.insert(std::this_thread::get_id());
      }
      // Every tile waits for the others, so each needs a thread of its own.
      ++waiting;
      while (waiting < threads) std::this_thread::yield();
    });
    CHECK(ids.size() == static_cast<size_t>(threads));
  }
}

TEST_CASE("a loop inside a body runs on the body's thread") {
  const Threads scope(3);
  std::atomic<int> elsewhere{0}, total{0};
  parallel_for(6, 1, [&](int64_t, int64_t) {
    const std::thread::id self = std::this_thread::get_id();
    parallel_for(10, 1, [&](int64_t begin, int64_t end) {
      if (std::this_thread::get_id() != self) ++elsewhere;
      total += static_cast<int>(end - begin);
    });
  });
  CHECK(elsewhere == 0);
  CHECK(total == 60);
}

TEST_CASE("an exception of a body comes out of the loop, and the next loop works") {
  for (const int threads : {1, 3}) {
    const Threads scope(threads);
    CHECK_THROWS_WITH_AS(parallel_for(100, 1,
                                      [](int64_t begin, int64_t) {
                                        if (begin == 7) fail<ValueError>("seven");
                                      }),
                         "seven", ValueError);
    std::atomic<int> done{0};
    parallel_for(10, 1, [&](int64_t, int64_t) {
      ++done;
      parallel_for(2, 1, [&](int64_t, int64_t) { ++done; });
    });
    CHECK(done == 30);
  }
}

TEST_CASE("the rounding and denormal mode of the caller reaches no body, and stays the caller's") {
  const unsigned before = _mm_getcsr();
  for (const int threads : {1, 2}) {
    const Threads scope(threads);
    _mm_setcsr(before | 0x8040 | 0x6000);  // subnormals flushed on both sides, rounding toward zero
    std::atomic<int> wrong{0};
    parallel_for(2, 1, [&](int64_t, int64_t) {
      volatile float tiny = std::numeric_limits<float>::min(), one = 1;
      if (tiny / 2 == 0) ++wrong;
      if (one + 0x1.8p-24f == one) ++wrong;
    });
    const unsigned after = _mm_getcsr();
    _mm_setcsr(before);
    CHECK(wrong == 0);
    CHECK((after & 0xE040) == 0xE040);
  }
}

TEST_CASE("the number of threads: set, refused, and what the machine grants") {
  CHECK(available_cores() >= 1);
  {
    const Threads scope(5);
    CHECK(num_threads() == 5);
    CHECK_THROWS_WITH_AS(set_num_threads(0), "threads: 0 is not between 1 and 1024", ValueError);
    CHECK_THROWS_AS(set_num_threads(-1), ValueError);
    CHECK_THROWS_AS(set_num_threads(1025), ValueError);
    CHECK(num_threads() == 5);
  }
}

TEST_CASE("many short loops, with more and with fewer tiles than threads") {
  for (const int threads : {1, 2, 5}) {
    const Threads scope(threads);
    std::atomic<int64_t> total{0};
    int64_t wanted = 0;
    for (int round = 0; round < 2000; ++round) {
      parallel_for(round % 37, 1, [&](int64_t begin, int64_t) { total += begin; });
      wanted += (round % 37) * (round % 37 - 1) / 2;
    }
    CHECK(total == wanted);
  }
}

TEST_CASE("the team has as many threads as were asked for: after it slept, fewer, and more") {
  const Threads scope(3);
  for (int round = 0; round < 3; ++round) {
    CHECK(meet(3) == 3);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  set_num_threads(1);
  const std::thread::id self = std::this_thread::get_id();
  std::atomic<int> elsewhere{0};
  parallel_for(100, 1, [&](int64_t, int64_t) { elsewhere += std::this_thread::get_id() != self; });
  CHECK(elsewhere == 0);
  set_num_threads(2);
  std::atomic<int> wrong{0};
  for (int round = 0; round < 1000; ++round)
    parallel_for(8, 1, [&](int64_t, int64_t) { wrong += thread_index() >= 2; });
  CHECK(wrong == 0);
  set_num_threads(9);
  CHECK(meet(9) == 9);
}

TEST_CASE("exceptions come out of every loop, not out of the next") {
  const Threads scope(2);
  const auto loop = [] {
    parallel_for(64, 1, [](int64_t begin, int64_t) {
      if (begin == 40) throw std::runtime_error("tile");
    });
  };
  for (int round = 0; round < 100; ++round) CHECK_THROWS_WITH_AS(loop(), "tile", std::runtime_error);
  std::atomic<int> tiles{0};
  parallel_for(64, 1, [&](int64_t, int64_t) { ++tiles; });
  CHECK(tiles == 64);
}

TEST_CASE("threads of a loop have numbers of their own") {
  const Threads scope(3);
  std::atomic<int> taken{0}, wrong{0}, waiting{0};
  parallel_for(3, 1, [&](int64_t, int64_t) {
    const int index = thread_index();
    if (index < 0 || index >= 3 || (taken.fetch_or(1 << index) & 1 << index)) ++wrong;
    parallel_for(4, 1, [&](int64_t, int64_t) { wrong += thread_index() != index; });
    ++waiting;
    while (waiting < 3) std::this_thread::yield();
  });
  CHECK(wrong == 0);
  CHECK(thread_index() == 0);
}

TEST_CASE("a loop that another thread begins while the team works is done by that thread alone") {
  const Threads scope(2);
  std::atomic<int> inside{0}, elsewhere{0}, tiles{0};
  std::atomic<bool> done{false};
  std::thread other([&] {
    while (inside < 2) std::this_thread::yield();
    const std::thread::id self = std::this_thread::get_id();
    parallel_for(50, 1, [&](int64_t, int64_t) {
      elsewhere += std::this_thread::get_id() != self || thread_index() != 0;
      ++tiles;
    });
    done = true;
  });
  parallel_for(2, 1, [&](int64_t, int64_t) {
    ++inside;
    while (!done) std::this_thread::yield();
  });
  other.join();
  CHECK(elsewhere == 0);
  CHECK(tiles == 50);
}

TEST_CASE("threads that begin loops at the same time: every loop is whole") {
  const Threads scope(3);
  std::atomic<int> wrong{0};
  const auto work = [&] {
    for (int round = 0; round < 500; ++round) {
      std::vector<int> seen(40);
      parallel_for(40, 1, [&](int64_t begin, int64_t) { seen[static_cast<size_t>(begin)] += round; });
      wrong += seen != std::vector<int>(40, round);
    }
  };
  std::thread one(work), two(work);
  work();
  one.join();
  two.join();
  CHECK(wrong == 0);
}

TEST_CASE("a process ends whatever its team does") {
  const Threads scope(3);
  CHECK(meet(3) == 3);
  SUBCASE("the child of a fork has a team of its own, which ends with it") {
    CHECK(exit_code_of_child([] {
            for (int round = 0; round < 3; ++round)
              if (meet(3) != 3) std::exit(1);
            std::exit(7);
          }) == 7);
  }
  SUBCASE("a fork while another thread has the team") {
    std::atomic<bool> inside{false}, done{false};
    std::thread other([&] {
      parallel_for(2, 1, [&](int64_t, int64_t) {
        inside = true;
        while (!done) std::this_thread::yield();
      });
    });
    while (!inside) std::this_thread::yield();
    CHECK(exit_code_of_child([] { std::exit(meet(3) == 3 ? 7 : 1); }) == 7);
    done = true;
    other.join();
  }
  SUBCASE("an exit from within a loop") {
    CHECK(exit_code_of_child([] {
            parallel_for(3, 1, [](int64_t begin, int64_t) {
              if (begin == 1) std::exit(7);
              while (true) std::this_thread::yield();
            });
          }) == 7);
  }
  SUBCASE("loops begun after the team has ended") {
    CHECK(exit_code_of_child([] {
            after_the_team.wanted = true;
            meet(3);
            std::exit(7);
          }) == 7);
  }
}

TEST_CASE("a BLAS that is called from a loop takes no threads of its own") {
  const Threads scope(3);
  // The child begins with one thread: what it has in the end was started here.
  CHECK(exit_code_of_child([] {
          const auto count = [] {
            return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
          };
          meet(3);
          const auto before = count();
          Array x({8, 128, 128}, float64);
          x.fill(1);
          kernels::matmul(x, x);
          std::exit(count() == before ? 7 : 1);
        }) == 7);
}
