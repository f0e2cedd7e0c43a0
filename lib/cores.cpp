#include <sched.h>
#include <weft/lib/cores.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <sstream>
#include <string_view>
#include <thread>

namespace weft {

namespace {

constexpr double none = std::numeric_limits<double>::infinity();

/// The positive whole number that `text` is, else 0: "max", "-1" and nonsense set no quota.
int64_t positive(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::max<int64_t>(value, 0) : 0;
}

std::string first_line(const std::string& path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

/// Version 2 keeps quota and period in one file, version 1 in two.
double quota_of(const std::string& folder) {
  std::istringstream text(first_line(folder + "/cpu.max") + ' ' + first_line(folder + "/cpu.cfs_quota_us") +
                          ' ' + first_line(folder + "/cpu.cfs_period_us"));
  std::string quota, period;
  text >> quota >> period;
  const int64_t share = positive(quota), whole = positive(period);
  return share > 0 && whole > 0 ? static_cast<double>(share) / static_cast<double>(whole) : none;
}

/// The smallest quota of `group` below `mount` and of the groups above it.
double quota_along(const std::string& mount, std::string group) {
  double smallest = quota_of(mount);
  while (group.size() > 1 && group.front() == '/') {
    smallest = std::min(smallest, quota_of(mount + group));
    group.erase(group.rfind('/'));
  }
  return smallest;
}

int affinity_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

int detail::quota_cores(const std::string& root) {
  double cores = none;
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1),
                      group = line.substr(second + 1);
    if (controllers.empty()) {
      cores = std::min(cores, quota_along(root + "/sys/fs/cgroup", group));
    } else if (("," + controllers + ",").find(",cpu,") != std::string::npos) {
      cores = std::min(cores, quota_along(root + "/sys/fs/cgroup/cpu", group));
    }
  }
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
