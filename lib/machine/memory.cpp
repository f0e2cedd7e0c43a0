#include <weft/lib/base/error.h>
#include <weft/lib/machine/available_memory.h>
#include <weft/lib/machine/pool_internal.h>

#include <algorithm>
#include <utility>

namespace weft {

namespace {

using detail::Pool;

/// What is left when all that the pool holds has been written to: the system promises more than it has, and
/// kills who takes it at its word.
int64_t available_beyond(const MemoryStats& stats) {
  return available_memory(
      std::max<int64_t>(0, static_cast<int64_t>(stats.in_use + stats.cached) - resident_memory()));
}

class SystemPool : public Pool {
 public:
  SystemPool() : Pool(true) {}

 private:
  bool grants(size_t bytes, const MemoryStats& stats) override {
    constexpr size_t worth_asking = size_t{1} << 24;
    return bytes < worth_asking || static_cast<int64_t>(bytes) <= available_beyond(stats);
  }
};

/// Never destroyed: buffers in static variables may outlive any order of destruction.
Pool& system_pool() {
  static Pool* const the_pool = new SystemPool;
  return *the_pool;
}

thread_local std::shared_ptr<Pool> pool_of_thread;

Pool& pool() { return pool_of_thread ? *pool_of_thread : system_pool(); }

}  // namespace

namespace detail {

const std::shared_ptr<Pool>& own_pool() { return pool_of_thread; }
std::shared_ptr<Pool> set_own_pool(std::shared_ptr<Pool> pool) {
  return std::exchange(pool_of_thread, std::move(pool));
}

}  // namespace detail

Buffer::~Buffer() {
  if (!whole) (home ? *home : system_pool()).give_back(data, bytes);
}

void Buffer::drop_derived() {
  has_derived.store(false, std::memory_order_relaxed);
  derived.store(nullptr);
}

std::shared_ptr<Buffer> allocate(size_t bytes) {
  void* const block = pool().take(bytes);
  if (block == nullptr) {
    const int64_t available = pool_of_thread ? available_memory() : available_beyond(system_pool().stats());
    fail<MemoryError>("out of memory: ", bytes, " bytes (", bytes >> 20, " MiB) are wanted, but only ",
                      available >> 20, " MiB are to be had; in use are ", memory_stats().in_use >> 20,
                      " MiB. A smaller batch_size, block_size or model needs less");
  }
  try {
    return std::make_shared<Buffer>(block, bytes, pool_of_thread);
  } catch (const std::bad_alloc&) {
    pool().give_back(block, bytes);
    throw;
  }
}

MemoryStats memory_stats() { return pool().stats(); }
void reset_peak() { pool().set_peak(0); }
void release_cached() { pool().release_cached(); }
void bound_cached(size_t bytes) { pool().bound_cached(bytes); }

PeakScope::PeakScope() : before_(pool().set_peak(0)) {}
PeakScope::~PeakScope() { pool().set_peak(std::max(before_, pool().stats().peak)); }

}  // namespace weft
