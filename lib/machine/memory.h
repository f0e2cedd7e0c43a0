// Buffers and the pool that reuses them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace weft {

namespace detail {
class Pool;
}

/// A block of memory, aligned to 64 bytes, that goes back to the pool when its last owner lets go.
/// `version` counts the changes made in place; backward compares it with the one it saved.
struct Buffer {
  Buffer(void* block, size_t size, std::shared_ptr<detail::Pool> from)
      : data(block), bytes(size), home(std::move(from)) {}
  /// A part of another one's memory, which it keeps alive.
  Buffer(std::shared_ptr<Buffer> of, size_t begin, size_t size)
      : data(static_cast<char*>(of->data) + begin), bytes(size), whole(std::move(of)) {}
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  /// Says that the values change: from now on what was computed from them counts no more.
  void change() {
    version.fetch_add(1, std::memory_order_relaxed);
    if (has_derived.load(std::memory_order_relaxed)) drop_derived();
  }

  void* data;
  size_t bytes;
  std::shared_ptr<detail::Pool> home;  ///< null: the process's own
  std::shared_ptr<Buffer> whole;       ///< of a part; else null
  std::atomic<uint64_t> version{0};

  /// Another form of the values, read as a matrix of so many rows, which kernels keep that read it more than
  /// once (kernels/products/packed_weight.h).
  struct Derived {
    int64_t rows;
    std::shared_ptr<const Buffer> values;
  };
  std::atomic<std::shared_ptr<const Derived>> derived{};
  std::atomic<bool> has_derived{false};
  std::atomic<uint64_t> derived_reads{0};  ///< version + 1 at which it was first wanted

 private:
  void drop_derived();
};

/// A buffer of uninitialised memory, from what the pool keeps when that fits, else from the system.
/// MemoryError with the amount when the system gives none, or has not as much as that (available_memory.h):
/// better refused than killed. Any thread may call it.
std::shared_ptr<Buffer> allocate(size_t bytes);

struct MemoryStats {
  size_t in_use = 0;         ///< bytes of buffers alive, each rounded up to a multiple of 64
  size_t peak = 0;           ///< largest in_use since the start or the last reset_peak
  size_t cached = 0;         ///< bytes the pool keeps for reuse; with those in use, all that may lie in RAM
  uint64_t from_system = 0;  ///< times that more was taken from the operating system so far
};
MemoryStats memory_stats();
void reset_peak();
/// The largest in_use while it lives; may be nested. Other peaks come out as if it were not there.
class PeakScope {
 public:
  [[nodiscard]] PeakScope();
  ~PeakScope();
  PeakScope(const PeakScope&) = delete;
  PeakScope& operator=(const PeakScope&) = delete;

  size_t peak() const { return memory_stats().peak; }

 private:
  size_t before_;
};
/// Gives what is cached back to the system, but for parts of pages.
void release_cached();
/// From now on gives it back, too, before the pool would hold more than `bytes` in all, as steps of ever new shapes let
/// it. What is in use is not bounded, nor what cannot be given back, some 2 % of `bytes`.
void bound_cached(size_t bytes);

}  // namespace weft
