#include <weft/lib/machine/cgroup_internal.h>

#include <algorithm>
#include <charconv>
#include <fstream>

namespace weft::detail {

namespace {

void add_along(std::vector<std::string>& folders, const std::string& mount, std::string group) {
  folders.push_back(mount);
  while (group.size() > 1 && group.front() == '/') {
    folders.push_back(mount + group);
    group.erase(group.rfind('/'));
  }
}

}  // namespace

std::vector<std::string> group_folders(const std::string& root, std::string_view controller) {
  const std::string mounts = root + "/sys/fs/cgroup";
  std::vector<std::string> folders;
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1),
                      group = line.substr(second + 1);
    if (controllers.empty()) {  // version 2: one tree for all
      add_along(folders, mounts, group);
    } else if (("," + controllers + ",").find("," + std::string(controller) + ",") != std::string::npos) {
      add_along(folders, mounts + "/" + std::string(controller), group);
    }
  }
  return folders;
}

std::string first_line(const std::string& path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

int64_t positive(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::max<int64_t>(value, 0) : 0;
}

}  // namespace weft::detail
