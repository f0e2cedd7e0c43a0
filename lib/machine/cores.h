// The cores that this process may use.
#pragma once

#include <string>

namespace weft {

/// Cores granted by the affinity mask and the cgroup's CPU quota (versions 1 and 2), at least 1. Read once,
/// when first asked for.
int available_cores();

namespace detail {
/// Cores that the CPU quotas of this process's cgroups, and of the groups above them, come to: quota /
/// period, the smallest of them, rounded to the nearest whole number, at least 1; 0 where there is none.
/// Reads <root>/proc/self/cgroup and below <root>/sys/fs/cgroup; a file that is missing or makes no sense
/// sets no quota.
int quota_cores(const std::string& root);
}  // namespace detail

}  // namespace weft
