// The control groups (cgroups) that limit this process, versions 1 and 2: for cores.cpp and
// available_memory.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::detail {

/// The folders whose files limit what this process gets of `controller` ("cpu", "memory"): its groups, those
/// above them, and the roots of their trees. Reads <root>/proc/self/cgroup; the folders lie below
/// <root>/sys/fs/cgroup, and need not be there.
std::vector<std::string> group_folders(const std::string& root, std::string_view controller);

/// The first line of a file; empty when there is none.
std::string first_line(const std::string& path);
/// The positive whole number that `text` is, else 0: "max", "-1" and nonsense limit nothing.
int64_t positive(std::string_view text);

}  // namespace weft::detail
