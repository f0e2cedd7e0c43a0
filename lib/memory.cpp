#include <weft/lib/available_memory.h>
#include <weft/lib/error.h>
#include <weft/lib/pool_internal.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace weft {

namespace {

using detail::Pool;

constexpr size_t alignment = 64;
/// Beyond any address space, and below what size classes would overflow at.
constexpr size_t most_bytes = size_t{1} << 60;

/// Size classes: eight steps an octave, so that at most an eighth of a block lies idle.
size_t size_class(size_t bytes) {
  if (bytes <= 512) return (bytes + alignment - 1) / alignment * alignment + (bytes == 0 ? alignment : 0);
  size_t octave = 1;
  while (octave * 2 < bytes) octave *= 2;
  const size_t step = octave / 8;
  return (bytes + step - 1) / step * step;
}

/// What is left when all that the pool holds has been written to: the system promises more than it has, and
/// kills who takes it at its word.
int64_t available_beyond(const MemoryStats& stats) {
  const auto held = static_cast<int64_t>(stats.in_use + stats.cached);
  return available_memory() - std::max<int64_t>(0, held - resident_memory());
}

class SystemPool : public Pool {
  void* from_source(size_t capacity, const MemoryStats& stats) override {
    constexpr size_t worth_asking = size_t{1} << 24;
    if (capacity >= worth_asking && static_cast<int64_t>(capacity) > available_beyond(stats)) return nullptr;
    return std::aligned_alloc(alignment, capacity);
  }
  void to_source(void* block) override { std::free(block); }
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

Pool::Block Pool::take(size_t capacity, size_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto held = static_cast<double>(held_ + capacity);
  const auto most_in_use = static_cast<double>(std::max(most_in_use_, stats_.in_use + capacity));
  Block block = from_cache(capacity, held > ample * most_in_use ? slack * capacity : capacity);
  if (block.data == nullptr) {
    if (held > too_much * most_in_use) release_locked();
    block.capacity = capacity;
    block.data = from_source(capacity, stats_);
    if (block.data == nullptr) {
      release_locked();
      block.data = from_source(capacity, stats_);
    }
    if (block.data == nullptr) return block;
    ++stats_.from_system;
    held_ += capacity;
  }
  if (block.reach < bytes) {
    stats_.reached += bytes - block.reach;
    block.reach = bytes;
  }
  stats_.in_use += capacity;
  stats_.peak = std::max(stats_.peak, stats_.in_use);
  most_in_use_ = std::max(most_in_use_, stats_.in_use);
  return block;
}

Pool::Block Pool::from_cache(size_t capacity, size_t most) {
  for (auto found = free_.lower_bound(capacity); found != free_.end() && found->first <= most; ++found) {
    if (found->second.empty()) continue;
    const Block block = found->second.back();
    found->second.pop_back();
    stats_.cached -= block.capacity;
    return block;
  }
  return {};
}

void Pool::give_back(Block block, size_t capacity) {
  const std::lock_guard lock(mutex_);
  stats_.in_use -= capacity;
  try {
    free_[block.capacity].push_back(block);
    stats_.cached += block.capacity;
  } catch (const std::bad_alloc&) {
    release(block);
  }
}

void Pool::release(const Block& block) {
  stats_.reached -= block.reach;
  held_ -= block.capacity;
  to_source(block.data);
}

void Pool::release_locked() {
  for (auto& [capacity, blocks] : free_) {
    for (const Block& block : blocks) release(block);
    blocks.clear();
  }
  stats_.cached = 0;
}

void Pool::release_cached() {
  const std::lock_guard lock(mutex_);
  release_locked();
  most_in_use_ = stats_.in_use;
}

MemoryStats Pool::stats() {
  const std::lock_guard lock(mutex_);
  return stats_;
}

size_t Pool::set_peak(size_t peak) {
  const std::lock_guard lock(mutex_);
  return std::exchange(stats_.peak, std::max(peak, stats_.in_use));
}

const std::shared_ptr<Pool>& own_pool() { return pool_of_thread; }
std::shared_ptr<Pool> set_own_pool(std::shared_ptr<Pool> pool) {
  return std::exchange(pool_of_thread, std::move(pool));
}

}  // namespace detail

Buffer::~Buffer() { (home ? *home : system_pool()).give_back({data, capacity, reach}, size_class(bytes)); }

void Buffer::drop_derived() {
  has_derived.store(false, std::memory_order_relaxed);
  derived.store(nullptr);
}

std::shared_ptr<Buffer> allocate(size_t bytes) {
  const size_t capacity = bytes < most_bytes ? size_class(bytes) : bytes;
  const Pool::Block block = bytes < most_bytes ? pool().take(capacity, bytes) : Pool::Block();
  if (block.data == nullptr) {
    fail<MemoryError>("out of memory: ", bytes, " bytes (", bytes >> 20, " MiB) are wanted, but only ",
                      std::max<int64_t>(0, available_memory()) >> 20, " MiB are to be had; in use are ",
                      memory_stats().in_use >> 20,
                      " MiB. A smaller batch_size, block_size or model needs less");
  }
  try {
    return std::make_shared<Buffer>(block.data, bytes, block.capacity, block.reach, pool_of_thread);
  } catch (const std::bad_alloc&) {
    pool().give_back(block, capacity);
    throw;
  }
}

MemoryStats memory_stats() { return pool().stats(); }
void reset_peak() { pool().set_peak(0); }
void release_cached() { pool().release_cached(); }

PeakScope::PeakScope() : before_(pool().set_peak(0)) {}
PeakScope::~PeakScope() { pool().set_peak(std::max(before_, pool().stats().peak)); }

}  // namespace weft
