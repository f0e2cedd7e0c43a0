#include <doctest/doctest.h>
#include <weft/lib/array.h>
#include <weft/lib/available_memory.h>
#include <weft/lib/memory.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
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
    CHECK(buffer->capacity >= bytes);
    CHECK(buffer->capacity <= bytes + bytes / 8 + 64);
    std::memset(buffer->data, 255, buffer->capacity);
  }
}

TEST_CASE("the pool gives back the block of an equal size, and counts what the system gave") {
  release_cached();
  void* first = allocate(100000)->data;
  const uint64_t taken = memory_stats().from_system;
  CHECK(memory_stats().cached >= 100000);
  const auto again = allocate(99990);
  CHECK(again->data == first);
  CHECK(memory_stats().cached == 0);
  CHECK(memory_stats().from_system == taken);
  const auto second = allocate(100000);
  CHECK(second->data != first);
  CHECK(memory_stats().from_system == taken + 1);
}

TEST_CASE("the counts of memory in use, its peak and the cache") {
  release_cached();
  CHECK(memory_stats().cached == 0);
  const size_t before = memory_stats().in_use;
  reset_peak();
  {
    const auto a = allocate(1 << 20), b = allocate(1 << 20);
    CHECK(memory_stats().in_use == before + (2 << 20));
  }
  CHECK(memory_stats().in_use == before);
  CHECK(memory_stats().peak == before + (2 << 20));
  CHECK(memory_stats().cached == 2 << 20);
  reset_peak();
  CHECK(memory_stats().peak == before);
  release_cached();
  CHECK(memory_stats().cached == 0);
}

TEST_CASE("a scope sees its own peak, and hides nothing from those around it") {
  const size_t before = memory_stats().in_use;
  reset_peak();
  {
    const PeakScope outer;
    { const auto a = allocate(3 << 20); }
    {
      const PeakScope inner;
      CHECK(inner.peak() == before);
      const auto b = allocate(1 << 20);
      CHECK(inner.peak() == before + (1 << 20));
    }
    CHECK(outer.peak() == before + (3 << 20));
    { const auto c = allocate(4 << 20); }
    CHECK(outer.peak() == before + (4 << 20));
  }
  CHECK(memory_stats().peak == before + (4 << 20));
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
  }
  CHECK(memory_stats().cached > most / 5 * 3);
  allocate(most / 5 * 4);  // the pool gives back what it keeps
  release_cached();
}
#endif

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
  size_t most = 0;
  for (int64_t step = 0; step < 300; ++step) {
    const int64_t length = 30 + step * 37 % 100;
    std::vector<Array> activations;
    for (const int64_t width : {128, 512, 384, 128, 1000})
      activations.push_back(Array::zeros({length, width}));
    most = std::max(most, memory_stats().in_use + memory_stats().cached);
  }
  // Each length with blocks of its own comes to almost five times the peak.
  CHECK(most < memory_stats().peak * 11 / 4);
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
