// The team of threads and the process: forks, exits, other libraries.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/lib/array/array.h>
#include <weft/lib/kernels/products/matmul.h>
#include <weft/lib/machine/parallel.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <thread>

#include "lib/threads.h"

using namespace weft;
using test::meet, test::Threads;

namespace {

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
