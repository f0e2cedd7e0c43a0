#include "mpirun.h"

#include <dirent.h>
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

bool has_mpirun() {
  static const bool there =
      std::system("command -v mpirun >/dev/null") == 0 && std::filesystem::exists(WEFT_MPI_PLUGIN);
  if (!there)
    MESSAGE("skipped: there is no mpirun, or no plug-in weft-mpi (packages openmpi-bin, libopenmpi-dev)");
  return there;
}

Arguments mpirun(int count) {
  // Open MPI may wait for ever for a process that was killed while it joined: then it is ended.
  return {"timeout",
          "-k",
          "5",
          "100",
          "setpriv",
          "--pdeathsig",
          "TERM",
          "mpirun",
          "--oversubscribe",
          "--bind-to",
          "none",
          "--mca",
          "btl_base_warn_component_unused",
          "0",
          "-n",
          std::to_string(count)};
}

std::vector<std::string> mpirun_environment(const std::vector<std::string>& more) {
  std::vector<std::string> all{"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

Result together(const Folder& folder, int count, const Arguments& arguments,
                const std::vector<std::string>& environment) {
  if (count == 1) return weft(folder, arguments, {.environment = environment});
  return weft(folder, arguments, {.environment = mpirun_environment(environment), .under = mpirun(count)});
}

namespace {

/// Of a process; empty once that has ended, which may be while it is read.
std::string file(const std::string& path) {
  try {
    std::ifstream in(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  } catch (const std::ios_base::failure&) {
    return "";
  }
}

/// The parent of a process; 0 when it is gone.
int parent_of(const std::string& process) {
  const std::string stat = file("/proc/" + process + "/stat");
  const size_t behind = stat.rfind(')');
  if (behind == std::string::npos) return 0;
  std::istringstream fields(stat.substr(behind + 2));
  char state = 0;
  int parent = 0;
  fields >> state >> parent;
  return parent;
}

}  // namespace

std::vector<int> processes_below(int mpirun, int count) {
  std::map<int, int> by_rank;
  wait_until([&] {
    by_rank.clear();
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos ||
          parent_of(std::to_string(parent_of(name))) != mpirun)
        continue;
      const std::string environment = file("/proc/" + name + "/environ"), key = "OMPI_COMM_WORLD_RANK=";
      const size_t at = environment.find(key);
      if (at != std::string::npos && file("/proc/" + name + "/cmdline").find("train") != std::string::npos)
        by_rank[std::atoi(environment.c_str() + at + key.size())] = std::atoi(name.c_str());
    }
    return std::ssize(by_rank) == count;
  });
  std::vector<int> all;
  if (std::ssize(by_rank) == count)
    for (const auto& [rank, process] : by_rank) all.push_back(process);
  return all;
}
