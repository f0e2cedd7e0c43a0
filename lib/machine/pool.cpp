#include <sys/mman.h>
#include <unistd.h>
#include <weft/lib/machine/pool_internal.h>

#include <algorithm>
#include <new>
#include <utility>

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
/// Smaller holes are not worth a mapping of their own, of which a process has only so many.
constexpr size_t least_hole = size_t{1} << 16;

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
bool unmap(uintptr_t begin, uintptr_t end, bool backed) noexcept {
  if (begin >= end) return true;
  if (backed) ASAN_UNPOISON_MEMORY_REGION(address(begin), end - begin);
  if (::munmap(address(begin), end - begin) == 0) return true;
  if (backed) ASAN_POISON_MEMORY_REGION(address(begin), end - begin);
  return false;
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
  const auto place = ends_.emplace(range.begin, range.end).first;
  try {
    by_size_.emplace(range.end - range.begin, range.begin);
  } catch (...) {
    ends_.erase(place);
    throw;
  }
  bytes_ += range.end - range.begin;
}

void FreeRanges::change(Ends::const_iterator place, Range range) noexcept {
  auto size = by_size_.extract({place->second - place->first, place->first});
  auto end = ends_.extract(place);
  bytes_ += range.end - range.begin - size.value().first;
  size.value() = {range.end - range.begin, range.begin};
  end.key() = range.begin;
  end.mapped() = range.end;
  by_size_.insert(std::move(size));
  ends_.insert(std::move(end));
}

void FreeRanges::erase(Ends::const_iterator place) noexcept {
  bytes_ -= place->second - place->first;
  by_size_.erase({place->second - place->first, place->first});
  ends_.erase(place);
}

FreeRanges::Ends::const_iterator FreeRanges::before(uintptr_t end) const noexcept {
  const auto after = ends_.lower_bound(end);
  if (after == ends_.begin() || std::prev(after)->second != end) return ends_.end();
  return std::prev(after);
}

void FreeRanges::add(Range range) {
  const auto lower = before(range.begin);
  const Ends::const_iterator upper = ends_.find(range.end);
  if (lower != ends_.end()) range.begin = lower->first;
  if (upper != ends_.end()) range.end = upper->second;
  if (lower == ends_.end() && upper == ends_.end()) return insert(range);
  if (lower != ends_.end() && upper != ends_.end()) erase(upper);
  change(lower != ends_.end() ? lower : upper, range);
}

uintptr_t FreeRanges::take(size_t size) noexcept {
  const auto best = by_size_.lower_bound({size, 0});
  if (best == by_size_.end()) return 0;
  const Ends::const_iterator place = ends_.find(best->second);
  const auto [begin, end] = *place;
  if (begin + size < end)
    change(place, {begin + size, end});
  else
    erase(place);
  return begin;
}

uintptr_t FreeRanges::begin_before(uintptr_t end) const noexcept {
  const auto place = before(end);
  return place == ends_.end() ? end : place->first;
}

void FreeRanges::take_before(uintptr_t end) noexcept {
  if (const auto place = before(end); place != ends_.end()) erase(place);
}

void FreeRanges::punch(uintptr_t begin, Range middle) {
  const Ends::const_iterator place = ends_.find(begin);
  if (middle.end < place->second) insert({middle.end, place->second});
  if (begin < middle.begin)
    change(place, {begin, middle.begin});
  else
    erase(place);
}

std::vector<FreeRanges::Range> FreeRanges::all() const {
  std::vector<Range> ranges;
  for (const auto& [begin, end] : ends_) ranges.push_back({begin, end});
  return ranges;
}

Pool::~Pool() {
  release_cached();
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

uintptr_t Pool::take_locked(size_t size) try {
  if (const uintptr_t block = take_waiting(size)) return block;
  if (const uintptr_t block = free_.take(size)) return block;
  if (bytes_waiting_ > std::max(least_growth, in_use_ / 16)) {
    join_waiting();
    if (const uintptr_t block = free_.take(size)) return block;
  }
  if (exceeds_bound(size)) {
    join_waiting();
    if (const uintptr_t block = free_.take(size)) return block;
    release_locked();
  }
  if (const uintptr_t block = take_new(size)) return block;
  join_waiting();
  if (const uintptr_t block = free_.take(size)) return block;
  release_locked();
  return take_new(size);
} catch (const std::bad_alloc&) {
  return 0;
}

uintptr_t Pool::take_waiting(size_t size) noexcept {
  if (size > small || waiting_[size / alignment].empty()) return 0;
  const uintptr_t block = waiting_[size / alignment].back();
  waiting_[size / alignment].pop_back();
  bytes_waiting_ -= size;
  return block;
}

/// Whether the block would let the pool hold more than it may, and enough is cached to be worth giving back.
bool Pool::exceeds_bound(size_t size) const noexcept {
  const size_t cached = free_.bytes() + bytes_waiting_;
  return cached > bound_ / 64 && in_use_ + cached + size > bound_;
}

uintptr_t Pool::take_new(size_t size) {
  if (!regions_.empty()) {
    Region& last = regions_.back();
    const uintptr_t begin = free_.begin_before(last.top), end = begin + size;
    if (!grants(end - last.top, stats_locked())) return 0;
    if (end <= last.end || extend(last, end - last.end)) {
      free_.take_before(last.top);
      last.top = end;
      return begin;
    }
  }
  if (!grants(size, stats_locked()) || !add_region(size)) return 0;
  return std::exchange(regions_.back().top, regions_.back().top + size);
}

bool Pool::extend(Region& region, size_t bytes) {
  const size_t ahead = std::clamp((in_use_ + free_.bytes() + bytes_waiting_) / 16, least_growth, most_growth);
  for (const size_t size : {up(std::max(bytes, ahead), page()), up(bytes, page())}) {
    if (map_at(region.end, size, backed_) == 0) continue;
    region.end += size;
    ++from_system_;
    return true;
  }
  return false;
}

bool Pool::add_region(size_t bytes) {
  regions_.reserve(regions_.size() + 1);
  // Its first page is never handed out, so that what is free below is not joined with what is free in it.
  const size_t needed = page() + bytes;
  // Another thread may be faster in the room that was found.
  for (int attempt = 0; attempt < 3; ++attempt) {
    const uintptr_t begin = find_room(up(needed, page()));
    if (begin == 0) return false;
    Region region{begin, begin + page(), begin};
    if (!extend(region, needed)) continue;
    regions_.push_back(region);
    return true;
  }
  return false;
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

void Pool::join_waiting() {
  for (size_t units = 0; units < waiting_.size(); ++units) {
    const size_t size = units * alignment;
    for (; !waiting_[units].empty(); waiting_[units].pop_back()) {
      free_.add({waiting_[units].back(), waiting_[units].back() + size});
      bytes_waiting_ -= size;
    }
  }
}

void Pool::release_locked() {
  join_waiting();
  for (Region& region : regions_) {
    const uintptr_t top = free_.begin_before(region.top);
    free_.take_before(region.top);
    region.top = top;
    const uintptr_t end = top == region.begin + page() ? region.begin : up(top, page());
    if (unmap(end, region.end, backed_)) region.end = end;
  }
  std::erase_if(regions_, [](const Region& region) { return region.begin == region.end; });
  for (const auto& [begin, end] : free_.all()) {
    const uintptr_t first = up(begin, page()), last = down(end, page());
    if (first + least_hole > last) continue;
    free_.punch(begin, {first, last});
    if (!unmap(first, last, backed_)) free_.add({first, last});
  }
}

void Pool::release_cached() {
  const std::lock_guard lock(mutex_);
  try {
    release_locked();
  } catch (const std::bad_alloc&) {
    // What is not given back stays in the pool.
  }
}

void Pool::bound_cached(size_t bytes) {
  const std::lock_guard lock(mutex_);
  bound_ = bytes;
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
