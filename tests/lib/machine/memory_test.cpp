#include <doctest/doctest.h>
#include <weft/lib/array/array.h>
#include <weft/lib/machine/available_memory.h>
#include <weft/lib/machine/memory.h>
#include <weft/lib/machine/pool_internal.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

using namespace weft;

#ifdef __SANITIZE_ADDRESS__
// Memory that is not there is to be refused by us, not by the sanitizer.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
#endif

TEST_CASE("allocate: aligned to 64 bytes, at least as large as asked, and all of it usable") {
  release_cached();
  for (const size_t bytes : {0u, 1u, 63u, 64u, 65u, 512u, 513u, 577u, 1000u, 4096u, 4097u, 1000000u}) {
    const auto buffer = allocate(bytes);
    CHECK(reinterpret_cast<uintptr_t>(buffer->data) % 64 == 0);
    CHECK(buffer->bytes == bytes);
    std::memset(buffer->data, 255, bytes);
  }
}

TEST_CASE("the pool gives back the block of an equal size, and counts what the system gave") {
  for (const size_t bytes : {100'000u, 1000u}) {
    void* first = allocate(bytes)->data;
    const uint64_t taken = memory_stats().from_system;
    const auto again = allocate(bytes - 10);
    CHECK(again->data == first);
    CHECK(memory_stats().from_system == taken);
    CHECK(allocate(bytes)->data != first);
  }
  const uint64_t taken = memory_stats().from_system;
  const auto large = allocate(memory_stats().cached + (2 << 20));
  CHECK(memory_stats().from_system == taken + 1);
}

TEST_CASE("blocks that come back are joined with their neighbours, in any order") {
  constexpr size_t size = 1 << 16;
  for (const std::vector<size_t>& order : {std::vector<size_t>{0, 1, 2}, {2, 1, 0}, {0, 2, 1}, {1, 0, 2}}) {
    release_cached();
    std::vector<std::shared_ptr<Buffer>> blocks;
    for (int i = 0; i < 3; ++i) blocks.push_back(allocate(size));
    const void* const first = blocks[0]->data;
    const auto after = allocate(size);  // so that the three are not at the end
    for (const size_t i : order) blocks[i] = nullptr;
    const size_t cached = memory_stats().cached;
    const auto all = allocate(3 * size);
    CHECK(all->data == first);
    CHECK(memory_stats().cached <= cached - 3 * size);
  }
}

TEST_CASE("the smallest free range that fits is taken, and what it has left over is kept") {
  release_cached();
  auto large = allocate(1 << 18);
  const auto a = allocate(1 << 16);
  auto fitting = allocate(1 << 17);
  const auto b = allocate(1 << 16);
  void* const place = fitting->data;
  large = fitting = nullptr;
  const auto c = allocate(100'000);
  CHECK(c->data == place);
  const auto d = allocate((1 << 17) - 110'000);
  CHECK(d->data > c->data);
  CHECK(d->data < b->data);
}

TEST_CASE("no block overlaps another, whatever comes and goes") {
  std::mt19937 random(1);
  struct Block {
    std::shared_ptr<Buffer> buffer;
    unsigned char mark;
  };
  std::vector<Block> blocks;
  const size_t before = memory_stats().in_use;
  const auto intact = [](const Block& block) {
    const auto* const data = static_cast<const unsigned char*>(block.buffer->data);
    return std::all_of(data, data + block.buffer->bytes, [&](unsigned char c) { return c == block.mark; });
  };
  for (int round = 0; round < 5000; ++round) {
    if (round % 700 == 699) release_cached();
    if (!blocks.empty() && random() % 100 < (blocks.size() < 60 ? 40 : 60)) {
      std::swap(blocks[random() % blocks.size()], blocks.back());
      CHECK(intact(blocks.back()));
      blocks.pop_back();
    } else {
      const auto mark = static_cast<unsigned char>(random());
      blocks.push_back({allocate(random() % 3 == 0 ? random() % 20'000 : random() % 400'000), mark});
      std::memset(blocks.back().buffer->data, mark, blocks.back().buffer->bytes);
    }
  }
  CHECK(std::all_of(blocks.begin(), blocks.end(), intact));
  blocks.clear();
  CHECK(memory_stats().in_use == before);
}

TEST_CASE("the counts of memory in use, its peak and the cache") {
  release_cached();
  const size_t before = memory_stats().in_use, cached = memory_stats().cached;
  reset_peak();
  size_t gap = 0;
  {
    const auto a = allocate(1 << 20), b = allocate(1 << 20);
    gap = memory_stats().in_use - before - (2 << 20);
    CHECK(gap <= 128);  // between blocks, where a sanitizer watches
  }
  CHECK(memory_stats().in_use == before);
  CHECK(memory_stats().peak == before + (2 << 20) + gap);
  CHECK(memory_stats().cached >= 2 << 20);
  reset_peak();
  CHECK(memory_stats().peak == before);
  release_cached();
  CHECK(memory_stats().cached <= cached);  // parts of pages
}

TEST_CASE("what is given back is mapped no more") {
  release_cached();
  const auto low = allocate(1 << 20);
  auto hole = allocate(64 << 20);
  const auto high = allocate(1 << 20);
  std::memset(hole->data, 1, hole->bytes);
  const int64_t resident = resident_memory();
  hole = nullptr;
  CHECK(resident_memory() > resident - (1 << 20));
  release_cached();
  CHECK(resident_memory() < resident - (63 << 20));
}

TEST_CASE("what is cached stays within a bound, whatever sizes come") {
  // Each is larger than all holes that those before it have left.
  const auto most_held = [](size_t bound) {
    release_cached();
    bound_cached(bound);
    size_t most = 0;
    std::shared_ptr<Buffer> last;
    for (size_t megabytes = 1; megabytes <= 64; megabytes *= 2) {
      last = allocate(megabytes << 20);
      most = std::max(most, memory_stats().in_use + memory_stats().cached);
    }
    bound_cached(SIZE_MAX);
    return most;
  };
  const size_t before = memory_stats().in_use, bound = before + (size_t{100} << 20);
  CHECK(most_held(SIZE_MAX) > before + (size_t{120} << 20));
  CHECK(most_held(bound) <= bound);
}

TEST_CASE("a scope sees its own peak, and hides nothing from those around it") {
  const size_t before = memory_stats().in_use;
  // Between blocks is a gap where a sanitizer watches.
  const auto within_gap = [](size_t peak, size_t wanted) { return peak >= wanted && peak <= wanted + 64; };
  reset_peak();
  {
    const PeakScope outer;
    { const auto a = allocate(3 << 20); }
    {
      const PeakScope inner;
      CHECK(inner.peak() == before);
      const auto b = allocate(1 << 20);
      CHECK(within_gap(inner.peak(), before + (1 << 20)));
    }
    CHECK(within_gap(outer.peak(), before + (3 << 20)));
    { const auto c = allocate(4 << 20); }
    CHECK(within_gap(outer.peak(), before + (4 << 20)));
  }
  CHECK(within_gap(memory_stats().peak, before + (4 << 20)));
}

TEST_CASE("memory that the system does not have is an error that names the amount, and changes nothing") {
  const size_t before = memory_stats().in_use;
  CHECK_THROWS_AS(allocate(size_t{1} << 60), MemoryError);
  try {
    const Array huge({int64_t{1} << 57});
    FAIL("the system gave 2^59 bytes");
  } catch (const MemoryError& error) {
    CHECK(std::string(error.what()).find("576460752303423488 bytes") != std::string::npos);
  }
  CHECK(memory_stats().in_use == before);
}

#ifndef __SANITIZE_ADDRESS__
TEST_CASE("memory that the system promises but does not have is refused, too") {
  const auto most = static_cast<size_t>(available_memory());
  if (most == static_cast<size_t>(detail::unlimited_memory)) return;
  CHECK_THROWS_AS(allocate(most + (size_t{1} << 30)), MemoryError);
  {
    // Nothing is written to, so the system still has all of it.
    const auto part = allocate(most / 5 * 3);
    CHECK_THROWS_AS(allocate(most / 5 * 3), MemoryError);
    CHECK_THROWS_WITH(allocate(most / 5 * 3), doctest::Contains("are wanted, but only"));
  }
  CHECK(memory_stats().cached >= most / 5 * 3);
  CHECK_THROWS_AS(allocate(most / 5 * 6), MemoryError);  // not what is kept and as much again
  auto kept = allocate(most / 5 * 3);
  const auto above = allocate(1 << 20);
  kept = nullptr;
  allocate(most / 5 * 4);  // for which the pool gives back what it keeps
  CHECK(memory_stats().cached < most / 5 * 2 + most / 5 * 3);
  release_cached();
}
#endif

TEST_CASE("the pool asks for all that is used for the first time, mapped already or not, and for no more") {
  class Asking : public detail::Pool {
   public:
    Asking() : Pool(true) {}
    size_t asked = 0, most = ~size_t{0};

   private:
    bool grants(size_t bytes, const MemoryStats& stats) override {
      if (asked > 0) CHECK(stats.in_use + stats.cached == asked);
      if (bytes > most - asked) return false;
      asked += bytes;
      return true;
    }
  };
  Asking pool;
  constexpr size_t block = 17 << 20;
  const size_t size = detail::Pool::rounded(block);
  std::vector<void*> blocks;
  for (size_t count = 1; count <= 20; ++count) {
    blocks.push_back(pool.take(block));
    CHECK(pool.asked == count * size);
  }
  pool.give_back(blocks.back(), block);
  const size_t larger = block + (3 << 20);
  void* const last = pool.take(larger);  // what was free at the end, and a little more
  CHECK(last == blocks.back());
  CHECK(pool.asked == 19 * size + detail::Pool::rounded(larger));
  pool.most = pool.asked;
  CHECK(pool.take(block) == nullptr);
  pool.give_back(last, larger);
  blocks.pop_back();
  for (void* const one : blocks) pool.give_back(one, block);
  CHECK(pool.stats().in_use == 0);
}

TEST_CASE("a step that is repeated takes nothing from the system") {
  const auto step = [] {
    std::vector<Array> activations;
    for (const int64_t size : {1000, 5000, 1000, 70000, 12}) activations.push_back(Array::zeros({size}));
  };
  step();
  const uint64_t taken = memory_stats().from_system;
  for (int i = 0; i < 20; ++i) step();
  CHECK(memory_stats().from_system == taken);
}

TEST_CASE("steps of many lengths share their blocks") {
  release_cached();
  reset_peak();
  const MemoryStats before = memory_stats();
  size_t most = 0;
  for (int64_t step = 0; step < 300; ++step) {
    const int64_t length = 300 + step * 37 % 1000;
    std::vector<Array> activations;
    for (const int64_t width : {128, 512, 384, 128, 1000})
      activations.push_back(Array::zeros({length, width}));
    most = std::max(most, memory_stats().in_use + memory_stats().cached);
  }
  // Each length with blocks of its own comes to far more than twice the peak.
  CHECK(most - before.in_use - before.cached < (memory_stats().peak - before.in_use) * 5 / 4);
}

TEST_CASE("small blocks of many sizes share their memory, too") {
  release_cached();
  reset_peak();
  const size_t before = memory_stats().in_use;
  for (size_t size = 64; size <= 16384; size += 64) {
    std::vector<std::shared_ptr<Buffer>> blocks;
    for (int i = 0; i < 1000; ++i) blocks.push_back(allocate(size));
  }
  // Each size with blocks of its own comes to 2 GB.
  const MemoryStats now = memory_stats();
  CHECK(now.peak - before >= 16'384'000);
  CHECK(now.in_use + now.cached - before < (now.peak - before) * 5 / 4);
}

TEST_CASE("several threads may allocate at once") {
  const size_t before = memory_stats().in_use;
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&wrong, t] {
      for (size_t i = 0; i < 2000; ++i) {
        const auto buffer = allocate(64 + i % 7 * 1000);
        std::memset(buffer->data, t, buffer->bytes);
        if (static_cast<const char*>(buffer->data)[buffer->bytes - 1] != t) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(memory_stats().in_use == before);
}
