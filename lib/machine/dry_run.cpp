#include <weft/lib/machine/dry_run.h>
#include <weft/lib/machine/pool_internal.h>

#include <utility>

namespace weft {

namespace {

/// Reserves addresses, which become memory only where they are written to.
class ReservedPool : public detail::Pool {
 public:
  ReservedPool() : Pool(false) {}

 private:
  bool grants(size_t, const MemoryStats&) override { return true; }
};

}  // namespace

DryRun::DryRun() : before_(detail::set_own_pool(std::make_shared<ReservedPool>())) {}
DryRun::~DryRun() { detail::set_own_pool(std::move(before_)); }
bool DryRun::active() { return detail::own_pool() != nullptr; }

}  // namespace weft
