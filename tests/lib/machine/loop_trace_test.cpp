#include <doctest/doctest.h>
#include <weft/lib/base/error.h>
#include <weft/lib/machine/loop_trace.h>
#include <weft/lib/machine/parallel.h>

#include <chrono>
#include <stdexcept>
#include <vector>

using namespace weft;

namespace {

void busy(double seconds) {
  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < seconds) {
  }
}

}  // namespace

TEST_CASE("loop trace: tiles are timed, on one thread and in order") {
  LoopTimes times;
  {
    const LoopTrace trace(times);
    CHECK(LoopTrace::current() == &trace);
    CHECK_THROWS_AS(LoopTrace{times}, StateError);
    std::vector<int64_t> order;
    parallel_for(4, 1, [&](int64_t i, int64_t) {
      order.push_back(i);
      parallel_for(3, 1, [](int64_t, int64_t) {});  // belongs to the tile
      busy(0.01);
    });
    parallel_for(1, 1, [&](int64_t, int64_t) { busy(0.01); });
    CHECK(order == std::vector<int64_t>{0, 1, 2, 3});
    CHECK_THROWS_AS(parallel_for(3, 1, [](int64_t, int64_t) { throw std::runtime_error("no"); }),
                    std::runtime_error);
  }
  CHECK(LoopTrace::current() == nullptr);
  CHECK(times.shared_loops() == 1);  // one has a single tile, one failed
  CHECK(times.seconds(1) >= 0.05);
}

TEST_CASE("loop trace: threads take their own part from its front, and then the others' from their ends") {
  LoopTimes times;
  times.add({3, 1, 1, 1});  // of two threads the second is done with its part at 2, and takes the second tile
  times.add({1, 1, 1, 1, 8});
  times.add({5});
  CHECK(times.seconds(1) == 6 + 12 + 5);
  CHECK(times.seconds(2) == 3 + 10 + 5);  // 0 1 | 2 3 4: the first takes the last tile at 2
  CHECK(times.seconds(64) == 3 + 8 + 5);
  CHECK_THROWS_AS(times.seconds(0), ValueError);

  LoopTimes again;
  again.add({2, 2, 2, 2});
  again.add({1, 1, 1, 1, 9});
  CHECK_THROWS_AS(times.keep_shorter(again), ValueError);
  again.add({4});
  times.keep_shorter(again);
  CHECK(times.seconds(1) == 5 + 12 + 4);
}
