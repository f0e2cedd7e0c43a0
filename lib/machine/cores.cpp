#include <sched.h>
#include <weft/lib/machine/cgroup_internal.h>
#include <weft/lib/machine/cores.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <sstream>
#include <thread>

namespace weft {

namespace {

constexpr double none = std::numeric_limits<double>::infinity();

/// Version 2 keeps quota and period in one file, version 1 in two.
double quota_of(const std::string& folder) {
  using detail::first_line, detail::positive;
  std::istringstream text(first_line(folder + "/cpu.max") + ' ' + first_line(folder + "/cpu.cfs_quota_us") +
                          ' ' + first_line(folder + "/cpu.cfs_period_us"));
  std::string quota, period;
  text >> quota >> period;
  const int64_t share = positive(quota), whole = positive(period);
  return share > 0 && whole > 0 ? static_cast<double>(share) / static_cast<double>(whole) : none;
}

int affinity_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

int detail::quota_cores(const std::string& root) {
  double cores = none;
  for (const std::string& folder : group_folders(root, "cpu")) cores = std::min(cores, quota_of(folder));
  if (cores == none) return 0;
  return static_cast<int>(std::clamp(std::round(cores), 1.0, 1e6));
}

int available_cores() {
  static const int cores = [] {
    const int affinity = std::max(1, affinity_cores()), quota = detail::quota_cores("");
    return quota > 0 ? std::min(affinity, quota) : affinity;
  }();
  return cores;
}

}  // namespace weft
