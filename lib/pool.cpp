#include <sys/mman.h>
#include <unistd.h>
#include <weft/lib/pool_internal.h>

#include <algorithm>
#include <new>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(begin, size) ((void)(begin), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(begin, size) ((void)(begin), (void)(size))
#endif

namespace weft::detail {

namespace {

// The sanitizer hears of backed pools alone: what it remembers of the others would be memory itself.

/// Between blocks, so that the sanitizer sees who writes past the end of one.
#ifdef __SANITIZE_ADDRESS__
constexpr size_t gap = 64;
#else
constexpr size_t gap = 0;
#endif

/// Addresses a region may grow into.
constexpr size_t room_to_grow = size_t{1} << 36;
constexpr size_t least_growth = size_t{1} << 20, most_growth = size_t{1} << 26;

size_t page() {
  static const auto size = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

uintptr_t up(uintptr_t value, size_t unit) { return (value + unit - 1) / unit * unit; }
uintptr_t down(uintptr_t value, size_t unit) { return value / unit * unit; }

void* address(uintptr_t value) { return reinterpret_cast<void*>(value); }

/// 0 where that cannot be.
uintptr_t map_at(uintptr_t wanted, size_t size, bool backed) {
  void* const got =
      ::mmap(address(wanted), size, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | (backed ? 0 : MAP_NORESERVE), -1, 0);
  if (got == MAP_FAILED) return 0;
  if (got == address(wanted)) return wanted;
  ::munmap(got, size);  // a kernel before 4.17
  return 0;
}

/// False where that takes more mappings than the system grants.
bool unmap(uintptr_t begin, uintptr_t end, bool backed) {
  if (begin >= end) return true;
  if (backed) ASAN_UNPOISON_MEMORY_REGION(address(begin), end - begin);
  return ::munmap(address(begin), end - begin) == 0;
}

/// Where `size` bytes may be mapped, with room behind them if there is any; 0 when there is none.
uintptr_t find_room(size_t size) {
  for (size_t room = std::max(room_to_grow, size);; room = std::max(room / 4, size)) {
    void* const found = ::mmap(nullptr, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (found != MAP_FAILED) {
      ::munmap(found, room);
      return reinterpret_cast<uintptr_t>(found);
    }
    if (room == size) return 0;
  }
}

}  // namespace

void FreeRanges::insert(Range range) {
  const Place place = ends_.emplace(range.begin, range.end).first;
  try {
    by_size_.emplace(range.end - range.begin, range.begin);
  } catch (...) {
    ends_.erase(place);
    throw;
  }
  bytes_ += range.end - range.begin;
}

FreeRanges::Range FreeRanges::erase(Place place) {
  const Range range{place->first, place->second};
  by_size_.erase({range.end - range.begin, range.begin});
  ends_.erase(place);
  bytes_ -= range.end - range.begin;
  return range;
}

void FreeRanges::add(Range range) {
  range.begin = take_before(range.begin);
  if (const Place after = ends_.find(range.end); after != ends_.end()) range.end = erase(after).end;
  insert(range);
}

uintptr_t FreeRanges::take(size_t size) {
  const auto best = by_size_.lower_bound({size, 0});
  if (best == by_size_.end()) return 0;
  const Range range = erase(ends_.find(best->second));
  if (range.begin + size < range.end) insert({range.begin + size, range.end});
  return range.begin;
}

uintptr_t FreeRanges::take_before(uintptr_t end) {
  const Place after = ends_.lower_bound(end);
  if (after == ends_.begin() || std::prev(after)->second != end) return end;
  return erase(std::prev(after)).begin;
}

std::vector<FreeRanges::Range> FreeRanges::take_all() {
  std::vector<Range> all;
  for (const auto& [begin, end] : ends_) all.push_back({begin, end});
  ends_.clear();
  by_size_.clear();
  bytes_ = 0;
  return all;
}

Pool::~Pool() {
  release_locked();
  for (const Region& region : regions_) unmap(region.begin, region.begin + page(), backed_);
}

size_t Pool::rounded(size_t bytes) { return up(std::max<size_t>(bytes, 1), alignment) + gap; }

void* Pool::take(size_t bytes) {
  if (bytes > most_bytes) return nullptr;
  const size_t size = rounded(bytes);
  const std::lock_guard lock(mutex_);
  const uintptr_t block = take_locked(size);
  if (block == 0) return nullptr;
  in_use_ += size;
  peak_ = std::max(peak_, in_use_);
  if (backed_) {
    ASAN_POISON_MEMORY_REGION(address(block), size);
    ASAN_UNPOISON_MEMORY_REGION(address(block), bytes);
  }
  return address(block);
}

uintptr_t Pool::take_locked(size_t size) {
  if (size <= small && !waiting_[size / alignment].empty()) {
    const uintptr_t block = waiting_[size / alignment].back();
    waiting_[size / alignment].pop_back();
    bytes_waiting_ -= size;
    return block;
  }
  if (const uintptr_t block = free_.take(size)) return block;
  if (const uintptr_t block = take_new(size)) return block;
  release_locked();
  return take_new(size);
}

uintptr_t Pool::take_new(size_t size) {
  if (regions_.empty() && !add_region(size)) return 0;
  uintptr_t begin = free_.take_before(regions_.back().top);
  const uintptr_t end = begin + size, mapped = regions_.back().end;
  if (end > mapped && !extend(regions_.back(), end - mapped)) {
    if (begin < regions_.back().top) free_.add({begin, regions_.back().top});
    if (!add_region(size)) return 0;
    begin = regions_.back().top;
  }
  regions_.back().top = begin + size;
  return begin;
}

bool Pool::extend(Region& region, size_t bytes) {
  const MemoryStats now = stats_locked();
  if (!grants(bytes, now)) return false;
  const size_t ahead = std::clamp((now.in_use + now.cached) / 16, least_growth, most_growth);
  for (const size_t size : {up(std::max(bytes, ahead), page()), up(bytes, page())}) {
    if (map_at(region.end, size, backed_) == 0) continue;
    region.end += size;
    ++from_system_;
    return true;
  }
  return false;
}

bool Pool::add_region(size_t bytes) {
  // Its first page is never handed out, so that no range reaches from one region into another.
  const size_t needed = page() + bytes;
  const uintptr_t begin = find_room(up(needed, page()));
  if (begin == 0) return false;
  Region region{begin, begin + page(), begin};
  if (!extend(region, needed)) return false;
  regions_.push_back(region);
  return true;
}

void Pool::give_back(void* block, size_t bytes) noexcept {
  const size_t size = rounded(bytes);
  const auto begin = reinterpret_cast<uintptr_t>(block);
  const std::lock_guard lock(mutex_);
  in_use_ -= size;
  if (backed_) ASAN_POISON_MEMORY_REGION(block, size);
  try {
    if (size <= small) {
      waiting_[size / alignment].push_back(begin);
      bytes_waiting_ += size;
    } else {
      free_.add({begin, begin + size});
    }
  } catch (const std::bad_alloc&) {
    // Nowhere to write down that it is free.
    unmap(up(begin, page()), down(begin + size, page()), backed_);
  }
}

void Pool::release_locked() {
  for (size_t units = 0; units < waiting_.size(); ++units) {
    for (const uintptr_t begin : waiting_[units]) free_.add({begin, begin + units * alignment});
    waiting_[units].clear();
  }
  bytes_waiting_ = 0;
  for (Region& region : regions_) {
    region.top = free_.take_before(region.top);
    const uintptr_t end = region.top == region.begin + page() ? region.begin : up(region.top, page());
    unmap(end, std::exchange(region.end, end), backed_);
  }
  std::erase_if(regions_, [](const Region& region) { return region.begin == region.end; });
  // Whole pages go; what they leave over stays, to be joined with what comes back beside it.
  for (const auto& [begin, end] : free_.take_all()) {
    const uintptr_t first = up(begin, page()), last = down(end, page());
    if (first >= last || !unmap(first, last, backed_)) {
      free_.add({begin, end});
      continue;
    }
    if (begin < first) free_.add({begin, first});
    if (last < end) free_.add({last, end});
  }
}

void Pool::release_cached() {
  const std::lock_guard lock(mutex_);
  release_locked();
}

MemoryStats Pool::stats_locked() const {
  return {.in_use = in_use_,
          .peak = peak_,
          .cached = free_.bytes() + bytes_waiting_,
          .from_system = from_system_};
}

MemoryStats Pool::stats() {
  const std::lock_guard lock(mutex_);
  return stats_locked();
}

size_t Pool::set_peak(size_t peak) {
  const std::lock_guard lock(mutex_);
  return std::exchange(peak_, std::max(peak, in_use_));
}

}  // namespace weft::detail
