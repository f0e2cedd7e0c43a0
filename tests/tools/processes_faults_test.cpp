// Of several processes one is killed, stopped or sees another disk.
#include <doctest/doctest.h>
#include <signal.h>

#include <cstdlib>
#include <thread>

#include "mpirun.h"
#include "program.h"
#include "records.h"

namespace {

/// A run of several, of which process `rank` runs behind other words than the others.
Result one_behind(const Folder& folder, int count, int rank, const Arguments& words,
                  const Arguments& arguments, const std::vector<std::string>& environment = {}) {
  std::vector<Arguments> before(static_cast<size_t>(count));
  before[static_cast<size_t>(rank)] = words;
  Program run(folder, arguments,
              {.environment = mpirun_environment(environment), .under = mpirun_each(before, arguments)});
  return end_of(run);
}

/// Whether a process may have a view of the disk of its own; if not, says that a test is skipped.
bool has_mounts(const Folder& folder) {
  std::filesystem::create_directory(folder.path("mounted"));
  const bool there =
      std::system(("unshare -m mount -t tmpfs tmpfs " + folder.path("mounted") + " 2>/dev/null").c_str()) ==
      0;
  if (!there) MESSAGE("skipped: mounts are for root, and this system allows none");
  return there;
}

}  // namespace

TEST_CASE("a process that is killed, at any moment, loses nothing") {
  if (!has_mpirun()) return;
  const Text folder;
  const Arguments more =
      of_text({"reduction_shards=4", "max_iters=12", "lr_decay_iters=12", "checkpoint_interval=3"});
  REQUIRE(run_weft(folder, train("whole", more)).code == 0);
  const std::string whole = last_saved(folder, "whole");
  unsigned random = 12345;
  for (int time = 0; time < 30; ++time) {
    CAPTURE(time);
    const std::string out = "killed" + std::to_string(time);
    const int count = 2 + time % 3;
    {
      Program run(folder, train(out, more),
                  {.environment = mpirun_environment({"WEFT_PROCESS_TIMEOUT=5"}), .under = mpirun(count)});
      const std::vector<int> processes = processes_below(run, count);
      random = random * 1664525 + 1013904223;
      std::this_thread::sleep_for(std::chrono::milliseconds(random >> 8) % std::chrono::milliseconds(900));
      if (!processes.empty()) ::kill(processes[static_cast<size_t>(time) % processes.size()], SIGKILL);
      end_of(run);
    }
    const int again = 1 + (time + 1) % 3;
    const Result resumed = exists(folder, out + "/config.toml")
                               ? together(folder, again, resume(out, {"max_iters=12"}))
                               : together(folder, again, train(out, more));
    REQUIRE_MESSAGE(resumed.code == 0, resumed.err);
    CHECK(last_saved(folder, out) == whole);
  }
}

TEST_CASE("a process that is stopped is named, and the others end") {
  if (!has_mpirun()) return;
  const Text folder;
  for (const int rank : {0, 1, 2}) {
    CAPTURE(rank);
    const std::string out = "silent" + std::to_string(rank);
    Program run(folder, train(out, of_text({"reduction_shards=4", "max_iters=100000"})),
                {.environment = mpirun_environment({"WEFT_PROCESS_TIMEOUT=2"}), .under = mpirun(3)});
    const std::vector<int> processes = processes_below(run, 3);
    REQUIRE(processes.size() == 3);
    REQUIRE(wait_until([&] { return contains(folder.read(out + "/metrics.jsonl"), "grad_norm"); }));
    ::kill(processes[static_cast<size_t>(rank)], SIGSTOP);
    const Result ended = end_of(run);
    CHECK(ended.code == 1);
    const std::string told = "process " + std::to_string(rank) + " (";
    CHECK_MESSAGE(contains(ended.err, told), ended.err);
    CHECK_MESSAGE(count_of(ended.err, "has been silent for 2 s") == 1, ended.err);
  }
}

TEST_CASE("a disk that is full at the first process ends all of them") {
  if (!has_mpirun()) return;
  const Text folder;
  const Result full = run_weft(
      folder, train("a", of_text({"reduction_shards=4", "max_iters=6"})),
      {.environment = mpirun_environment({"LD_PRELOAD=" WEFT_FAULT_SHIM, "FAULT_FOLDER=" + folder.path("a"),
                                          "FAULT_AT=200", "FAULT_DO=ENOSPC", "FAULT_FOR_GOOD=1"}),
       .under = mpirun(3)});
  CHECK(full.code == 1);
  CHECK_MESSAGE(count_of(full.err, "weft: a/") == 1, full.err);
}

TEST_CASE("a process that is stopped before all have joined keeps none waiting") {
  if (!has_mpirun()) return;
  const Text folder;
  for (const int rank : {0, 2}) {
    CAPTURE(rank);
    const Result ended = one_behind(folder, 3, rank, {"sh", "-c", "kill -STOP $$"}, train("never"),
                                    {"WEFT_PROCESS_TIMEOUT=1"});
    CHECK(ended.code == 2);
    CHECK_MESSAGE(count_of(ended.err, "not all processes have joined within 1") == 1, ended.err);
    CHECK_FALSE(exists(folder, "never"));
  }
}

TEST_CASE("a process that is stopped once it has joined is named") {
  if (!has_mpirun()) return;
  const Text folder;
  for (const int rank : {0, 2}) {
    CAPTURE(rank);
    const Result ended = one_behind(folder, 3, rank, {"env", "LD_PRELOAD=" WEFT_STOP_AT_GATHER},
                                    train("never"), {"WEFT_PROCESS_TIMEOUT=2"});
    CHECK(ended.code == 2);
    CHECK_MESSAGE(
        count_of(ended.err, "weft: process " + std::to_string(rank) + " has been silent for 2 s") == 1,
        ended.err);
    CHECK(count_of(ended.err, "weft: ") == 1);
    CHECK_FALSE(exists(folder, "never"));
  }
}

TEST_CASE("a process that is stopped while all leave takes nothing along") {
  if (!has_mpirun()) return;
  const Text folder;
  const Arguments more = of_text({"reduction_shards=4"});
  REQUIRE(run_weft(folder, train("whole", more)).code == 0);
  const Result ended = one_behind(folder, 3, 1, {"env", "LD_PRELOAD=" WEFT_STOP_AT_FINISH},
                                  train("left", more), {"WEFT_PROCESS_TIMEOUT=2"});
  REQUIRE_MESSAGE(exists(folder, "left/best.h5"), ended.err);
  CHECK(last_saved(folder, "left") == last_saved(folder, "whole"));
}

TEST_CASE("a folder that one process cannot see, or another of its name, is refused with what to do") {
  const Text folder;
  if (!has_mpirun() || !has_mounts(folder)) return;
  std::filesystem::create_directory(folder.path("shared"));
  const Arguments more = of_text({"reduction_shards=4"});
  const auto refused = [&](const std::string& elsewhere, const Arguments& arguments) {
    CAPTURE(elsewhere);
    const Result result =
        one_behind(folder, 3, 1, {"unshare", "-m", "sh", "-c", elsewhere + "exec \"$0\" \"$@\""}, arguments);
    CHECK(result.code == 2);
    const std::string text = "shared/run: is the run's folder as process 0 (";
    CHECK_MESSAGE(count_of(result.err, text) == 1, result.err);
    CHECK_MESSAGE(contains(result.err, "put it where all machines see it: --out"), result.err);
    CHECK(count_of(result.err, "weft: ") == 1);
  };
  const std::string hidden = "mount -t tmpfs tmpfs shared && ";
  const std::string another = hidden + "mkdir shared/run && echo 1 >shared/run/.processes && ";
  for (const std::string& elsewhere : {hidden, another}) {
    refused(elsewhere, train("shared/run", more));
    CHECK(listed(folder, "shared").empty());
  }
  REQUIRE(together(folder, 3, train("shared/run", more)).code == 0);
  const std::vector<std::string> before = files_of(folder, "shared/run");
  for (const std::string& elsewhere : {hidden, another}) {
    refused(elsewhere, resume("shared/run", {"max_iters=8"}));
    CHECK(files_of(folder, "shared/run") == before);
  }
  CHECK(together(folder, 3, resume("shared/run", {"max_iters=8"})).code == 0);
}
