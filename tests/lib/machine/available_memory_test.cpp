#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/lib/machine/available_memory.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "../../folder.h"

using namespace weft;

namespace {

/// A root folder with files of /proc and /sys in it.
struct Root : Folder {
  int64_t granted() const { return detail::granted_memory(name()); }
};

}  // namespace

TEST_CASE("what the machine has, and nothing else") {
  CHECK(Root().granted() == detail::unlimited_memory);
  Root root;
  root.with("proc/meminfo", "MemTotal:  24684092 kB\nMemFree: 1 kB\nMemAvailable:   23937252 kB\n");
  CHECK(root.granted() == int64_t{23937252} * 1024);
  root.with("proc/meminfo", "MemAvailable: nonsense\n");
  CHECK(root.granted() == detail::unlimited_memory);
  root.with("proc/meminfo", "MemAvailable: 9223372036854775807 kB\n");
  CHECK(root.granted() == detail::unlimited_memory / 1024 * 1024);
}

TEST_CASE("version 2: the tightest of a group and those above it, caches not counted as used") {
  Root root;
  root.with("proc/meminfo", "MemAvailable: 1000 kB\n").with("proc/self/cgroup", "0::/a/b\n");
  CHECK(root.granted() == 1024000);
  root.with("sys/fs/cgroup/a/b/memory.max", "max\n").with("sys/fs/cgroup/a/b/memory.current", "5000\n");
  CHECK(root.granted() == 1024000);
  root.with("sys/fs/cgroup/a/b/memory.max", "800000\n");
  CHECK(root.granted() == 795000);
  root.with("sys/fs/cgroup/a/b/memory.stat", "anon 1000\ninactive_file 3000\nactive_file 500\n");
  CHECK(root.granted() == 798000);
  root.with("sys/fs/cgroup/a/memory.max", "700000\n").with("sys/fs/cgroup/a/memory.current", "100000\n");
  CHECK(root.granted() == 600000);
  root.with("sys/fs/cgroup/a/memory.high", "300000\n");
  CHECK(root.granted() == 200000);
  root.with("sys/fs/cgroup/a/memory.current", "900000\n");
  CHECK(root.granted() == 0);
}

TEST_CASE("version 1: the memory controller's own tree") {
  Root root;
  root.with("proc/self/cgroup", "4:memory:/docker/1f\n3:cpu:/x\n0::/\n")
      .with("sys/fs/cgroup/memory/docker/1f/memory.limit_in_bytes", "9223372036854771712\n")
      .with("sys/fs/cgroup/memory/docker/1f/memory.usage_in_bytes", "1000\n")
      .with("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "10\n");
  CHECK(root.granted() > int64_t{1} << 62);
  root.with("sys/fs/cgroup/memory/memory.limit_in_bytes", "64000\n")
      .with("sys/fs/cgroup/memory/memory.usage_in_bytes", "24000\n")
      .with("sys/fs/cgroup/memory/memory.stat", "inactive_file 7\ntotal_inactive_file 4000\n");
  CHECK(root.granted() == 44000);
}

#ifndef __SANITIZE_ADDRESS__  // which keeps what is freed, and maps terabytes
TEST_CASE("this process: what it has touched, and limits of its own") {
  const int64_t before = resident_memory(), size = 64 << 20;
  CHECK(before > 0);
  CHECK(available_memory() > 0);
  CHECK(resident_files() > 100'000);  // this program
  CHECK(resident_files() < int64_t{1} << 28);
  {
    const auto bytes = std::make_unique<char[]>(static_cast<size_t>(size));
    std::memset(bytes.get(), 1, static_cast<size_t>(size));
    CHECK(resident_memory() >= before + size);
    CHECK(resident_set() >= before + size + resident_files() / 2);
    CHECK(resident_set() < before + 2 * size + 2 * resident_files());
  }
  CHECK(resident_memory() < before + size / 2);
  CHECK(peak_resident_memory() > before + size - (4 << 20));
  CHECK(peak_resident_memory() < before + 2 * size);
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{rlim_t{1} << 40, rlim_t{1} << 40};
    ::setrlimit(RLIMIT_AS, &limit);
    const bool address_space = available_memory() < int64_t{1} << 40;
    const rlimit data{1 << 20, 1 << 20};
    ::setrlimit(RLIMIT_DATA, &data);
    ::_exit(address_space && available_memory() < 1 << 20 ? 0 : 1);
  }
  int status = 1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
}
#endif
