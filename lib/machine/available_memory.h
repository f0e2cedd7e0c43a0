// The memory that this process may still take.
#pragma once

#include <cstdint>
#include <string>

namespace weft {

/// Bytes that the machine and the limits of this process still grant: the least of
/// - MemAvailable of /proc/meminfo: free memory and caches that can be dropped; swap is not counted;
/// - of each memory cgroup around this process (versions 1 and 2), its limit less what it uses; inactive file
///   pages, which the kernel drops first, are not counted as used;
/// - `ulimit -v` and `ulimit -d` less what the process has mapped.
/// Of the first two, `promised` bytes are taken off that the process has mapped, but not yet written to. A
/// very large number where nothing limits it. Asked anew at each call, which costs some 0.1 ms.
int64_t available_memory(int64_t promised = 0);

/// Anonymous memory of this process that lies in RAM, in bytes: RssAnon of /proc/self/status. 0 where that
/// cannot be read.
int64_t resident_memory();
/// Pages of files that lie in RAM for this process, its program and libraries: RssFile.
int64_t resident_files();
/// All of this process that lies in RAM now, its program and libraries too: what `top` calls RES. 0 where that cannot be
/// read. Takes some 10 microseconds, the others ten times that.
int64_t resident_set();
/// The most there was of anonymous memory so far, to a few hundred kilobytes.
int64_t peak_resident_memory();

namespace detail {
inline constexpr int64_t unlimited_memory = INT64_MAX;
/// What /proc and /sys below `root` say; unlimited_memory where they say nothing.
int64_t granted_memory(const std::string& root);
}  // namespace detail

}  // namespace weft
