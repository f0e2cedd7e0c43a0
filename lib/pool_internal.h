// The pool of blocks behind memory.h and dry_run.h.
#pragma once

#include <weft/lib/memory.h>

#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace weft::detail {

/// Keeps blocks that come back, by size class, and hands them out again. So that batches of many lengths
/// share blocks, instead of each length keeping its own: once the pool would hold `ample` times what was ever
/// in use at a time, a block of up to `slack` times the size has to do, and once it would hold `too_much`
/// times that, it begins anew.
class Pool {
 public:
  static constexpr double ample = 1.75, too_much = 2.5;
  static constexpr size_t slack = 4;
  struct Block {
    void* data = nullptr;
    size_t capacity = 0;
    size_t reach = 0;  ///< bytes that buffers have used of it so far
  };

  virtual ~Pool() = default;

  /// A block of at least `capacity` bytes of which `bytes` will be used; null data when there is none to be
  /// had.
  Block take(size_t capacity, size_t bytes);
  /// `capacity` as it was taken with.
  void give_back(Block block, size_t capacity);
  void release_cached();

  MemoryStats stats();
  /// Puts another peak in place of that of stats(), at least what is in use; returns the one before.
  size_t set_peak(size_t peak);

 private:
  /// Null when the source has no more.
  virtual void* from_source(size_t capacity, const MemoryStats& stats) = 0;
  virtual void to_source(void* block) = 0;
  Block from_cache(size_t capacity, size_t most);
  void release(const Block& block);
  void release_locked();

  std::mutex mutex_;
  std::map<size_t, std::vector<Block>> free_;
  MemoryStats stats_;
  size_t held_ = 0;         // bytes of all blocks
  size_t most_in_use_ = 0;  // since release_cached(), whatever peaks are reset
};

/// Where this thread's buffers come from instead of from memory; null for the usual.
const std::shared_ptr<Pool>& own_pool();
/// Sets it, and returns the one before.
std::shared_ptr<Pool> set_own_pool(std::shared_ptr<Pool> pool);

}  // namespace weft::detail
