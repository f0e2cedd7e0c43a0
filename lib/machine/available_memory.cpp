#include <sys/resource.h>
#include <unistd.h>
#include <weft/lib/machine/available_memory.h>
#include <weft/lib/machine/cgroup_internal.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace weft {

namespace {

using detail::unlimited_memory;

/// The number behind a name in a file of lines "name 123 ..."; 0 when it is not there.
int64_t number_after(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string first, second;
    if (words >> first >> second && first == name) return detail::positive(second);
  }
  return 0;
}

int64_t kilobytes_after(const std::string& path, const std::string& name) {
  return std::min(number_after(path, name), unlimited_memory / 1024) * 1024;
}

/// What one group still grants; memory.high throttles, so it limits as memory.max does.
int64_t left_in(const std::string& group) {
  struct Files {
    const char *limit, *used, *inactive;
  };
  int64_t left = unlimited_memory;
  for (const auto& [limit_file, used_file, inactive] :
       {Files{"/memory.max", "/memory.current", "inactive_file"},
        Files{"/memory.high", "/memory.current", "inactive_file"},
        Files{"/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_inactive_file"}}) {
    const int64_t limit = detail::positive(detail::first_line(group + limit_file));
    if (limit == 0) continue;
    const int64_t used = detail::positive(detail::first_line(group + used_file));
    const int64_t held = std::max<int64_t>(0, used - number_after(group + "/memory.stat", inactive));
    left = std::min(left, std::max<int64_t>(0, limit - held));
  }
  return left;
}

int64_t left_of(int resource, const char* used) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return unlimited_memory;
  const auto most = static_cast<int64_t>(std::min<rlim_t>(limit.rlim_cur, unlimited_memory));
  return std::max<int64_t>(0, most - kilobytes_after("/proc/self/status", used));
}

}  // namespace

int64_t detail::granted_memory(const std::string& root) {
  int64_t granted = kilobytes_after(root + "/proc/meminfo", "MemAvailable:");
  if (granted == 0) granted = unlimited_memory;
  for (const std::string& group : group_folders(root, "memory")) granted = std::min(granted, left_in(group));
  return granted;
}

int64_t available_memory(int64_t promised) {
  return std::min({std::max<int64_t>(0, detail::granted_memory("") - promised), left_of(RLIMIT_AS, "VmSize:"),
                   left_of(RLIMIT_DATA, "VmData:")});
}

int64_t resident_memory() { return kilobytes_after("/proc/self/status", "RssAnon:"); }

int64_t resident_files() { return kilobytes_after("/proc/self/status", "RssFile:"); }

int64_t resident_set() {
  std::ifstream file("/proc/self/statm");
  int64_t mapped = 0, resident = 0;
  file >> mapped >> resident;
  return file ? resident * ::sysconf(_SC_PAGESIZE) : 0;
}

int64_t peak_resident_memory() {
  // The peak is told of all pages only; those of files, most of them programs, stay about as many.
  return std::max(resident_memory(), kilobytes_after("/proc/self/status", "VmHWM:") - resident_files());
}

}  // namespace weft
