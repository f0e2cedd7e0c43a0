// The pool of memory behind memory.h and dry_run.h.
#pragma once

#include <weft/lib/machine/memory.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

namespace weft::detail {

/// Stretches of memory that nobody uses, no two of them touching.
class FreeRanges {
 public:
  struct Range {
    uintptr_t begin, end;
  };

  /// Puts one in, joined with those it touches. std::bad_alloc when it touches none; then it is not in.
  void add(Range range);
  /// Takes `size` bytes of the smallest that has them, of the lowest if several do; 0 when none has.
  uintptr_t take(size_t size) noexcept;
  /// Where the one begins that ends there; `end` when none does.
  uintptr_t begin_before(uintptr_t end) const noexcept;
  /// Takes the one that ends there, if any.
  void take_before(uintptr_t end) noexcept;
  /// Takes [first, last) out of the middle of the one that begins at `begin`. std::bad_alloc; then nothing is
  /// taken.
  void punch(uintptr_t begin, Range middle);
  std::vector<Range> all() const;
  size_t bytes() const noexcept { return bytes_; }

 private:
  using Ends = std::map<uintptr_t, uintptr_t>;
  Ends::const_iterator before(uintptr_t end) const noexcept;
  void insert(Range range);
  void change(Ends::const_iterator place, Range range) noexcept;
  void erase(Ends::const_iterator place) noexcept;

  Ends ends_;                                       // by where they begin
  std::set<std::pair<size_t, uintptr_t>> by_size_;  // size and begin
  size_t bytes_ = 0;
};

/// Hands out blocks of a few long stretches of memory, of the free range that fits best, and joins what comes
/// back with its free neighbours (Knuth 1997, The Art of Computer Programming 1, section 2.5): so steps of
/// many shapes together take hardly more than the largest of them. Small blocks wait for the next of their
/// size, and are joined only when more memory would be needed.
class Pool {
 public:
  static constexpr size_t alignment = 64;
  static constexpr size_t small = size_t{1} << 14;
  /// No block is larger: beyond any address space, and far from what sizes can count.
  static constexpr size_t most_bytes = size_t{1} << 56;

  /// `backed`: the system has to stand in for what it gives; else there may be more addresses than memory.
  explicit Pool(bool backed) : backed_(backed) {}
  virtual ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// What a block of `bytes` takes up.
  static size_t rounded(size_t bytes);
  /// Null when there is none to be had.
  void* take(size_t bytes);
  void give_back(void* block, size_t bytes) noexcept;
  void release_cached();
  void bound_cached(size_t bytes);

  MemoryStats stats();
  /// Puts another peak in place of that of stats(), at least what is in use; returns the one before.
  size_t set_peak(size_t peak);

 private:
  /// Ours from `begin` to `end`, but for what was given back to the system; from `top` on nothing is in use
  /// or in free_.
  struct Region {
    uintptr_t begin, top, end;
  };

  /// Whether `bytes` more may be used of what the system has.
  virtual bool grants(size_t bytes, const MemoryStats& stats) = 0;

  uintptr_t take_locked(size_t size);
  uintptr_t take_waiting(size_t size) noexcept;
  uintptr_t take_new(size_t size);
  bool exceeds_bound(size_t size) const noexcept;
  bool extend(Region& region, size_t bytes);
  bool add_region(size_t bytes);
  void join_waiting();
  void release_locked();
  MemoryStats stats_locked() const;

  const bool backed_;
  std::mutex mutex_;
  FreeRanges free_;
  std::array<std::vector<uintptr_t>, small / alignment + 1>
      waiting_;  // small blocks, by multiples of alignment
  size_t bytes_waiting_ = 0;
  std::vector<Region> regions_;  // new blocks come from the last
  size_t in_use_ = 0, peak_ = 0;
  size_t bound_ = SIZE_MAX;
  uint64_t from_system_ = 0;
};

/// Where this thread's buffers come from instead of from memory; null for the usual.
const std::shared_ptr<Pool>& own_pool();
/// Sets it, and returns the one before.
std::shared_ptr<Pool> set_own_pool(std::shared_ptr<Pool> pool);

}  // namespace weft::detail
