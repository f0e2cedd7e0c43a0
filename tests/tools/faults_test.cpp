// A run while system calls on its folder fail, or kill it: every such call in the script tests/faults/every-call, some of
// them here.
#include <doctest/doctest.h>
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "program.h"
#include "records.h"

namespace {

const Names settings = {"max_iters=6",     "checkpoint_interval=2", "eval_interval=2", "keep_checkpoints=2",
                        "sample_tokens=3", "stats_interval=3",      "tensorboard=true"};

/// What must be the same as in a run that met no fault.
struct Outcome {
  Names files;
  std::string last, best;
  Records records;
  bool operator==(const Outcome&) const = default;
};

Outcome outcome(const Folder& folder, const std::string& run) {
  const Names files = listed(folder, run + "/checkpoints");
  if (files.empty()) return {};
  return {files, folder.read(run + "/checkpoints/" + files.back()), folder.read(run + "/best.h5"),
          records_of(folder, run)};
}

struct Fault {
  int at = 0;
  std::string what;
  bool for_good = false;
};

Program::Options with_fault(const Fault& fault, const Folder& folder) {
  Program::Options options;
  options.environment = {"LD_PRELOAD=" WEFT_FAULT_SHIM, "FAULT_FOLDER=" + folder.path("run"),
                         "FAULT_AT=" + std::to_string(fault.at)};
  if (!fault.what.empty()) options.environment.push_back("FAULT_DO=" + fault.what);
  if (fault.for_good) options.environment.emplace_back("FAULT_FOR_GOOD=1");
  if (fault.at == 0) options.environment.push_back("FAULT_LOG=" + folder.path("calls"));
  return options;
}

/// What is done under faults: a command, and how to come to where it begins.
struct Scene {
  std::string name;
  Arguments command;
  std::function<void(const Folder&)> before;
  bool replaces = false;  ///< another run
};

void copy(const Folder& folder, const std::string& from) {
  std::filesystem::copy(folder.path(from), folder.path("run"), std::filesystem::copy_options::recursive);
}

Names seven(const std::string& key) {
  Names other = settings;
  other.push_back(key);
  return other;
}

std::vector<Scene> scenes() {
  return {{"a new run", train("run", settings), [](const Folder&) {}},
          {"a resume", resume("run", {"max_iters=6"}), [](const Folder& folder) { copy(folder, "begun"); }},
          {"a run that replaces another",
           [] {
             Arguments all = train("run", settings);
             all.emplace_back("--overwrite");
             return all;
           }(),
           [](const Folder& folder) { copy(folder, "other"); }, true}};
}

/// Brings a run to its end as its user would after a fault.
Outcome ended(const Folder& folder, const Scene& scene) {
  const bool run = exists(folder, "run/config.toml") || exists(folder, "run.weft-old");
  if (scene.replaces) {
    // The old run or the new one, whole: going on with it ends as if nothing had been.
    const Result result = run_weft(folder, resume("run"));
    CHECK_MESSAGE(result.code == 0, result.err);
    if (result.code != 0) return {};
    const Outcome found = outcome(folder, "run");
    if (found == outcome(folder, "other")) {
      CHECK(folder.read("run/config.toml") == folder.read("other/config.toml"));
      return outcome(folder, "whole");
    }
    return found;
  }
  const Result result = run_weft(folder, run ? resume("run", {"max_iters=6"}) : train("run", settings));
  CHECK_MESSAGE(result.code == 0, result.err);
  return result.code == 0 ? outcome(folder, "run") : Outcome{};
}

/// Numbers from 1 to `most`: all of them when the environment asks, else some that differ from scene to scene.
std::vector<int> sampled(int most, int offset) {
  const bool all = ::getenv("WEFT_EVERY_FAULT") != nullptr;
  std::vector<int> numbers;
  const int stride = all ? 1 : std::max(1, most / 14);
  for (int at = all ? 1 : 1 + offset % stride; at <= most; at += stride) numbers.push_back(at);
  return numbers;
}

}  // namespace

TEST_CASE("a system call of a run fails, or the run is killed there: nothing is lost") {
  const Text folder;
  REQUIRE(run_weft(folder, train("whole", settings)).code == 0);
  Names begun = settings;
  begun.insert(begun.end(), {"max_iters=2", "lr_decay_iters=6"});
  REQUIRE(run_weft(folder, train("begun", begun)).code == 0);
  REQUIRE(run_weft(folder, train("other", seven("n_embd=8"))).code == 0);
  const Outcome whole = outcome(folder, "whole");
  int offset = 0;
  for (const Scene& scene : scenes()) {
    CAPTURE(scene.name);
    const auto reset = [&] {
      for (const char* name : {"run", "run.weft-new", "run.weft-old"})
        std::filesystem::remove_all(folder.path(name));
      scene.before(folder);
    };
    reset();
    std::filesystem::remove(folder.path("calls"));
    REQUIRE(run_weft(folder, scene.command, with_fault({}, folder)).code == 0);
    const Names calls = lines_of(folder.read("calls"));
    REQUIRE(calls.size() > 50);
    REQUIRE(outcome(folder, "run") == whole);
    for (const Fault& kind : {Fault{0, "kill"}, Fault{0, "EIO"}, Fault{0, "EIO", true},
                              Fault{0, "ENOSPC", true}, Fault{0, "EINVAL"}, Fault{0, "EACCES"}}) {
      for (const int at : sampled(static_cast<int>(calls.size()), offset += 5)) {
        CAPTURE(kind.what);
        CAPTURE(kind.for_good);
        CAPTURE(at);
        CAPTURE(calls[static_cast<size_t>(at - 1)]);
        reset();
        const Result result =
            run_weft(folder, scene.command, with_fault({at, kind.what, kind.for_good}, folder));
        CAPTURE(result.err);
        if (kind.what == "kill")
          CHECK((result.code == 128 + SIGKILL || result.code == 0));
        else
          CHECK((result.code == 0 || result.code == 1 || result.code == 2));
        CHECK_FALSE(contains(result.err, "filesystem error"));
        CHECK(ended(folder, scene) == whole);
        CHECK_FALSE(exists(folder, "run.weft-new"));
        CHECK_FALSE(exists(folder, "run.weft-old"));
      }
    }
  }
}
