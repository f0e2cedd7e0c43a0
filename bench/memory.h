// How much memory this process took.
#pragma once

#include <fstream>
#include <string>

namespace bench {

/// MB that Linux gives under `key` ("VmHWM:", "RssFile:") for this process.
inline double status_mb(const std::string& key) {
  std::ifstream file("/proc/self/status");
  double kib = 0;
  for (std::string word; file >> word;)
    if (word == key && file >> kib) break;
  return kib * 1024 / 1e6;
}

/// The most memory that was resident at once.
inline double peak_rss_mb() { return status_mb("VmHWM:"); }
/// The same without the pages of files (the program and its libraries): what was allocated. Linux keeps no
/// peak of it; file pages are taken as they are now.
inline double peak_anonymous_mb() { return peak_rss_mb() - status_mb("RssFile:") - status_mb("RssShmem:"); }

}  // namespace bench
