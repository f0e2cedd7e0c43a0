#include <weft/lib/error.h>
#include <weft/lib/memory.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace weft {

namespace {

constexpr size_t alignment = 64;

/// Size classes: eight steps an octave, so that at most an eighth of a block lies idle.
size_t size_class(size_t bytes) {
  if (bytes <= 512) return (bytes + alignment - 1) / alignment * alignment + (bytes == 0 ? alignment : 0);
  size_t octave = 1;
  while (octave * 2 < bytes) octave *= 2;
  const size_t step = octave / 8;
  return (bytes + step - 1) / step * step;
}

struct Pool {
  std::mutex mutex;
  std::map<size_t, std::vector<void*>> free;
  MemoryStats stats;
};

/// Never destroyed: buffers in static variables may outlive any order of destruction.
Pool& pool() {
  static Pool* const the_pool = new Pool;
  return *the_pool;
}

void release_locked(Pool& p) {
  for (auto& [size, blocks] : p.free) {
    for (void* block : blocks) std::free(block);
    blocks.clear();
  }
  p.stats.cached = 0;
}

void* take(size_t capacity) {
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  void* block = nullptr;
  if (auto found = p.free.find(capacity); found != p.free.end() && !found->second.empty()) {
    block = found->second.back();
    found->second.pop_back();
    p.stats.cached -= capacity;
  } else {
    block = std::aligned_alloc(alignment, capacity);
    if (block == nullptr) {
      release_locked(p);
      block = std::aligned_alloc(alignment, capacity);
    }
    if (block == nullptr) return nullptr;
    ++p.stats.from_system;
  }
  p.stats.in_use += capacity;
  if (p.stats.in_use > p.stats.peak) p.stats.peak = p.stats.in_use;
  return block;
}

void give_back(void* block, size_t capacity) {
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  p.stats.in_use -= capacity;
  p.stats.cached += capacity;
  try {
    p.free[capacity].push_back(block);
  } catch (const std::bad_alloc&) {
    p.stats.cached -= capacity;
    std::free(block);
  }
}

}  // namespace

Buffer::~Buffer() { give_back(data, capacity); }

void Buffer::drop_derived() {
  has_derived.store(false, std::memory_order_relaxed);
  derived.store(nullptr);
}

std::shared_ptr<Buffer> allocate(size_t bytes) {
  const size_t capacity = size_class(bytes);
  void* const block = take(capacity);
  if (block == nullptr) {
    fail<MemoryError>("out of memory: the system gives no further ", bytes, " bytes (", bytes >> 20,
                      " MiB); in use are ", memory_stats().in_use >> 20,
                      " MiB. A smaller batch_size, block_size or model needs less");
  }
  try {
    return std::make_shared<Buffer>(block, bytes, capacity);
  } catch (const std::bad_alloc&) {
    give_back(block, capacity);
    throw;
  }
}

MemoryStats memory_stats() {
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  return p.stats;
}

void reset_peak() {
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  p.stats.peak = p.stats.in_use;
}

PeakScope::PeakScope() {
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  before_ = std::exchange(p.stats.peak, p.stats.in_use);
}

PeakScope::~PeakScope() {
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  p.stats.peak = std::max(p.stats.peak, before_);
}

void release_cached() {
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  release_locked(p);
}

}  // namespace weft
