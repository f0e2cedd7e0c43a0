#include <doctest/doctest.h>
#include <sched.h>
#include <weft/lib/machine/cores.h>

#include <filesystem>
#include <string>

#include "../../folder.h"

using namespace weft;

namespace {

/// A root folder with files of /proc and /sys in it.
struct QuotaRoot : Folder {
  int quota() const { return detail::quota_cores(name()); }
};

}  // namespace

TEST_CASE("a version 2 quota: rounded, at least one core, the smallest of the groups above") {
  CHECK(QuotaRoot().quota() == 0);
  QuotaRoot root;
  root.with("proc/self/cgroup", "0::/a/b c/d\n").with("sys/fs/cgroup/cgroup.procs", "");
  CHECK(root.quota() == 0);
  root.with("sys/fs/cgroup/a/b c/d/cpu.max", "max 100000\n");
  CHECK(root.quota() == 0);
  root.with("sys/fs/cgroup/a/b c/d/cpu.max", "600000 100000\n");
  CHECK(root.quota() == 6);
  root.with("sys/fs/cgroup/a/b c/cpu.max", "170000 50000\n");
  CHECK(root.quota() == 3);
  root.with("sys/fs/cgroup/a/cpu.max", "150000 100000\n");
  CHECK(root.quota() == 2);
  root.with("sys/fs/cgroup/cpu.max", "1000 100000\n");
  CHECK(root.quota() == 1);
}

TEST_CASE("a version 1 quota: two files, of the cpu controller alone") {
  QuotaRoot root;
  root.with("proc/self/cgroup",
            "4:memory:/\n3:cpuset:/x\n2:cpuacct,cpu:/docker/1f:2\n1:name=systemd:/y\n0::/\n")
      .with("sys/fs/cgroup/cpu/docker/1f:2/cpu.cfs_period_us", "100000\n")
      .with("sys/fs/cgroup/cpu/docker/1f:2/cpu.cfs_quota_us", "-1\n")
      .with("sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n")
      .with("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "100000\n");
  CHECK(root.quota() == 0);
  root.with("sys/fs/cgroup/cpu/docker/1f:2/cpu.cfs_quota_us", "400000\n");
  CHECK(root.quota() == 4);
}

TEST_CASE("a container that sees its own group as the mount's root") {
  QuotaRoot root;
  root.with("proc/self/cgroup", "0::/system.slice/docker-12.scope\n")
      .with("sys/fs/cgroup/cpu.max", "250000 125000\n");
  CHECK(root.quota() == 2);
}

TEST_CASE("files that make no sense set no quota") {
  for (const char* groups :
       {"", "\n", "nonsense", ":", "0:", "0::", "::\n\n::", "0::relative/group", "1:cpu", "0::/../../.."})
    for (const char* quota :
         {"", "\n", "max", "100000", "100000 0", "100000 -5", "-1 100000", "0 100000", "x 100000", "100000 x",
          "1e5 100000", "99999999999999999999 1", "nan nan", "inf 1"}) {
      CAPTURE(groups);
      CAPTURE(quota);
      QuotaRoot root;
      root.with("proc/self/cgroup", groups).with("sys/fs/cgroup/cpu.max", quota);
      CHECK(root.quota() == 0);
    }
  QuotaRoot large;
  large.with("proc/self/cgroup", "0::/\n").with("sys/fs/cgroup/cpu.max", "9223372036854775807 1\n");
  CHECK(large.quota() == 1000000);
  QuotaRoot folder;
  folder.with("proc/self/cgroup", "0::/\n");
  std::filesystem::create_directories(folder.path("sys/fs/cgroup/cpu.max"));
  CHECK(folder.quota() == 0);
}

TEST_CASE("the cores of this process are at most those of its affinity mask") {
  CHECK(available_cores() >= 1);
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) CHECK(available_cores() <= CPU_COUNT(&set));
}
