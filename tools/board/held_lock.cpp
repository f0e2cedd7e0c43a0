#include "held_lock.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdio>
#include <fstream>
#include <sstream>

namespace weft::tools {

std::optional<bool> is_lock_held(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return std::nullopt;
  std::ifstream list("/proc/locks");
  if (!list) return std::nullopt;
  // "1: FLOCK  ADVISORY  WRITE 2193 08:01:131 0 EOF"; one that waits has "->" behind its number.
  for (std::string line; std::getline(list, line);) {
    std::istringstream words(line);
    std::string number, kind, advisory, how, process, place;
    if (!(words >> number >> kind >> advisory >> how >> process >> place) || kind != "FLOCK") continue;
    unsigned device = 0, part = 0;
    unsigned long inode = 0;
    if (std::sscanf(place.c_str(), "%x:%x:%lu", &device, &part, &inode) != 3 || inode != file.st_ino)
      continue;
    // A file system without a device of its own (overlays, subvolumes) may be listed under another number.
    if ((device == major(file.st_dev) && part == minor(file.st_dev)) ||
        (device == 0 && major(file.st_dev) == 0))
      return true;
  }
  return false;
}

}  // namespace weft::tools
