#include "mpirun.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <thread>

bool has_mpirun() {
  static const bool there =
      std::system("command -v mpirun >/dev/null") == 0 && std::filesystem::exists(WEFT_MPI_PLUGIN);
  if (!there)
    MESSAGE("skipped: there is no mpirun, or no plug-in weft-mpi (packages openmpi-bin, libopenmpi-dev)");
  return there;
}

Arguments mpirun(int count) {
  // Open MPI may wait for ever for a process that was killed while it joined (end_of): then it is ended.
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

Arguments mpirun_each(const std::vector<Arguments>& before, const Arguments& arguments) {
  Arguments words = mpirun(1);
  for (size_t r = 0; r < before.size(); ++r) {
    if (r > 0) {
      words.push_back(WEFT_PROGRAM);
      words.insert(words.end(), arguments.begin(), arguments.end());
      words.insert(words.end(), {":", "-n", "1"});
    }
    words.insert(words.end(), before[r].begin(), before[r].end());
  }
  return words;
}

std::vector<std::string> mpirun_environment(const std::vector<std::string>& more) {
  std::vector<std::string> all{"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

Result together(const Folder& folder, int count, const Arguments& arguments,
                const std::vector<std::string>& environment) {
  if (count == 1) return run_weft(folder, arguments, {.environment = environment});
  return run_weft(folder, arguments,
                  {.environment = mpirun_environment(environment), .under = mpirun(count)});
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

/// What lives of what a process has started.
std::vector<int> children_of(int process) {
  std::vector<int> all;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string stat = file("/proc/" + name + "/stat");
    const size_t behind = stat.rfind(')');
    if (behind == std::string::npos) continue;
    std::istringstream fields(stat.substr(behind + 2));
    char state = 0;
    int parent = 0;
    fields >> state >> parent;
    if (parent == process && state != 'Z') all.push_back(std::atoi(name.c_str()));
  }
  return all;
}

/// Processes of all that an mpirun under way has started.
std::vector<int> all_below(const Program& run) {
  std::vector<int> all;
  for (const int mpirun : children_of(run.id()))
    for (const int process : children_of(mpirun)) all.push_back(process);
  return all;
}

}  // namespace

std::vector<int> processes_below(const Program& run, int count) {
  std::map<int, int> by_rank;
  wait_until([&] {
    by_rank.clear();
    for (const int process : all_below(run)) {
      const std::string folder = "/proc/" + std::to_string(process), key = "OMPI_COMM_WORLD_RANK=";
      const std::string environment = file(folder + "/environ");
      const size_t at = environment.find(key);
      if (at != std::string::npos && file(folder + "/cmdline").find("train") != std::string::npos)
        by_rank[std::atoi(environment.c_str() + at + key.size())] = process;
    }
    return std::ssize(by_rank) == count;
  });
  std::vector<int> all;
  if (std::ssize(by_rank) == count)
    for (const auto& [rank, process] : by_rank) all.push_back(process);
  return all;
}

Result end_of(Program& run) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  for (auto seen = begin; run.running();) {
    const std::vector<int> at_work = all_below(run);
    if (!at_work.empty()) seen = Clock::now();
    const bool go_on = Clock::now() - begin > std::chrono::seconds(90);
    if (go_on) FAIL_CHECK("processes that should have ended go on");
    if (go_on || Clock::now() - seen > std::chrono::seconds(10)) {
      if (!go_on) MESSAGE("mpirun itself does not end; it is ended");
      for (const int process : at_work) ::kill(process, SIGKILL);
      for (const int mpirun : children_of(run.id())) ::kill(mpirun, SIGKILL);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return run.wait();
}

Arguments of_text(const Arguments& more) {
  Arguments settings{"n_layer=2",
                     "n_embd=32",
                     "block_size=16",
                     "batch_size=6",
                     "gradient_accumulation_steps=2",
                     "max_iters=4",
                     "eval_interval=2",
                     "eval_iters=3",
                     "dropout=0.1",
                     "checkpoint_interval=2",
                     "sample_tokens=2",
                     "stats_interval=3",
                     "tensorboard=true",
                     "log_interval=1",
                     "lr_decay_iters=4"};
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}
