#include <sys/mman.h>
#include <weft/lib/dry_run.h>
#include <weft/lib/pool_internal.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace weft {

namespace {

/// Hands out addresses that become memory only where they are written to.
class ReservedPool : public detail::Pool {
 public:
  ~ReservedPool() override {
    for (const auto& [region, size] : regions_) ::munmap(region, size);
  }

 private:
  static constexpr size_t least_region = size_t{1} << 20;

  void* from_source(size_t capacity, const MemoryStats&) override {
    if (left_ < capacity) {
      const size_t size = std::max(capacity, least_region);
      void* const region =
          ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (region == MAP_FAILED) return nullptr;
      regions_.emplace_back(region, size);
      next_ = static_cast<char*>(region);
      left_ = size;
    }
    left_ -= capacity;
    return std::exchange(next_, next_ + capacity);
  }
  void to_source(void*) override {}  // all at once, at the end

  std::vector<std::pair<void*, size_t>> regions_;
  char* next_ = nullptr;
  size_t left_ = 0;
};

}  // namespace

DryRun::DryRun() : before_(detail::set_own_pool(std::make_shared<ReservedPool>())) {}
DryRun::~DryRun() { detail::set_own_pool(std::move(before_)); }
bool DryRun::active() { return detail::own_pool() != nullptr; }

}  // namespace weft
