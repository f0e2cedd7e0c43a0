#include <doctest/doctest.h>
#include <weft/lib/array/array.h>
#include <weft/lib/kernels/products/matmul.h>
#include <weft/lib/machine/available_memory.h>
#include <weft/lib/machine/dry_run.h>
#include <weft/lib/machine/parallel.h>

#include <cstring>
#include <optional>
#include <thread>

using namespace weft;

TEST_CASE("a dry run counts what a real one takes, and takes next to nothing itself") {
  const auto work = [](int64_t n) {
    const PeakScope scope;
    const Array a = Array::ones({n, n}), b = kernels::matmul(a, a);
    { const Array c = b.copy(); }
    const Array d({n * n - 5});
    return scope.peak() - memory_stats().in_use + d.nbytes() + 2 * a.nbytes();
  };
  const size_t real = work(300);
  {
    const DryRun dry;
    CHECK(memory_stats().in_use == 0);
    CHECK(work(300) == real);
    CHECK(memory_stats().in_use == 0);
  }
  const int64_t before = resident_memory();
  const DryRun dry;
  const Array huge({int64_t{1} << 34});
  const Array sum = kernels::matmul(huge.reshape({1 << 17, 1 << 17}), huge.reshape({1 << 17, 1 << 17}));
  CHECK(memory_stats().in_use >= size_t{1} << 37);
  CHECK(resident_memory() < before + (32 << 20));
}

TEST_CASE("a dry run packs its buffers as a real one does") {
  const auto taken = [] {
    release_cached();
    const size_t before = memory_stats().in_use + memory_stats().cached;
    for (const size_t length : {300, 100, 400, 200}) {
      const auto a = allocate(length * 1000), b = allocate(length * 3000);
      { const auto c = allocate(length * 4000); }
      const auto d = allocate(length * 2000);
    }
    return memory_stats().in_use + memory_stats().cached - before;
  };
  const size_t real = taken();
  CHECK(real >= 400 * 8000);
  const DryRun dry;
  CHECK(taken() == real);
}

TEST_CASE("loops do nothing in a dry run, of this thread alone") {
  int done = 0;
  const DryRun dry;
  CHECK(DryRun::active());
  parallel_for(10, 1, [&](int64_t, int64_t) { ++done; });
  CHECK(done == 0);
  std::thread other([&] {
    CHECK(!DryRun::active());
    parallel_for(10, 10, [&](int64_t, int64_t) { ++done; });
  });
  other.join();
  CHECK(done == 1);
}

TEST_CASE("what is real stays real, and what is not may outlive the dry run") {
  const MemoryStats before = memory_stats();
  std::optional<Array> real = Array::ones({1000}), imagined;
  {
    const DryRun dry;
    imagined = Array({1000});
    const Array also = *real;
    real.reset();
    CHECK(memory_stats().in_use >= imagined->nbytes());
    CHECK(memory_stats().in_use <= imagined->nbytes() + 128);
  }
  CHECK(!DryRun::active());
  CHECK(memory_stats().in_use == before.in_use);
  std::memset(imagined->mutable_bytes(), 1, imagined->nbytes());
  imagined.reset();
  CHECK(memory_stats().in_use == before.in_use);
}

TEST_CASE("more than the addresses hold is refused") {
  const DryRun dry;
  CHECK_THROWS_AS(allocate(size_t{1} << 59), MemoryError);
  CHECK_THROWS_AS(allocate(~size_t{0}), MemoryError);
}
