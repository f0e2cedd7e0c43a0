#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

#include "program.h"

namespace {

/// Megabytes behind "NAME " in what was said.
double memory_said(const std::string& text, const std::string& name) {
  const size_t at = text.find(name + " ");
  if (at == std::string::npos) throw std::runtime_error("no " + name + " in " + text);
  std::istringstream words(text.substr(at + name.size()));
  double amount = 0;
  std::string unit;
  words >> amount >> unit;
  return unit.starts_with("GB") ? 1000 * amount : amount;
}

/// The most that lay in RAM of the process so far; 0 when it has ended.
double peak_megabytes(int process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) * 1024e-6;
  return 0;
}

/// What is announced before the first update is never less than what is taken, nor much more.
void check_announced(const Folder& folder, const Arguments& arguments) {
  Program program(folder, arguments);
  double taken = 0;
  for (; program.running(); std::this_thread::sleep_for(std::chrono::milliseconds(1)))
    taken = std::max(taken, peak_megabytes(program.id()));
  const Result result = program.wait();
  REQUIRE_MESSAGE(result.code == 0, result.err);
  INFO(result.err);
  const double announced = memory_said(result.err, "memory: at most");
  CHECK(taken <= announced);
  CHECK(announced <= 1.15 * taken + 5);
}

}  // namespace

#ifndef __SANITIZE_ADDRESS__
TEST_CASE("the memory announced before the first update is what the run takes, checkpoints included") {
  const Text folder;
  // A model that weighs as much as a batch does, and one that does not.
  check_announced(
      folder, train("wide", {"n_layer=3", "n_embd=256", "n_head=4", "block_size=32", "batch_size=16",
                             "max_iters=8", "eval_interval=3", "checkpoint_interval=4", "sample_tokens=40"}));
  check_announced(
      folder, train("long", {"n_layer=4", "n_embd=64", "block_size=128", "batch_size=48", "max_iters=8",
                             "eval_interval=3", "checkpoint_interval=4", "gradient_accumulation_steps=2"}));
  check_announced(folder,
                  train("again", {"n_layer=4", "n_embd=64", "block_size=128", "batch_size=48", "max_iters=8",
                                  "eval_interval=3", "checkpoint_interval=4", "recompute=true"}));
  check_announced(folder,
                  train("narrow", {"n_layer=4", "n_embd=64", "block_size=128", "batch_size=48", "max_iters=8",
                                   "eval_interval=3", "checkpoint_interval=4", "dtype=bfloat16"}));
  check_announced(folder, resume("wide", {"max_iters=12"}));
  // Samples that outgrow the context, of a model that began from another.
  check_announced(folder, train("from", {"--init-from", "wide", "n_layer=3", "n_embd=256", "n_head=4",
                                         "block_size=32", "batch_size=1", "max_iters=6", "eval_interval=3",
                                         "checkpoint_interval=3", "sample_tokens=300"}));
}

TEST_CASE("the memory announced is enough where batches are of many shapes and a sample is an answer") {
  const Text folder;
  const auto made = [&](const std::string& model, const std::string& task, const Arguments& settings) {
    Arguments all{"train",
                  "--model",
                  model,
                  "--task",
                  task,
                  "--out",
                  model + "-" + task,
                  "--threads",
                  "1",
                  "--set",
                  "max_iters=24",
                  "eval_interval=8",
                  "eval_iters=4",
                  "checkpoint_interval=8"};
    all.insert(all.end(), settings.begin(), settings.end());
    check_announced(folder, all);
  };
  made("transformer", "translation", {"n_embd=256", "n_layer=2", "batch_size=12"});
  // So few tokens in a batch that weights are packed.
  made("transformer", "sort", {"n_embd=256", "n_layer=2", "batch_size=1", "optimizer=adafactor"});
  made("t5", "summarize", {"n_embd=128", "n_layer=2", "batch_size=4", "ema_decay=0.9"});
  made("lstm-seq2seq", "translation", {"n_embd=256", "n_layer=2", "batch_size=4", "optimizer=muon"});
  // A long profile is memory too.
  check_announced(folder, {"train", "--data", "text.txt", "--out", "profiled", "--threads", "1", "--profile",
                           "--profile-steps", "60", "--set", "n_embd=32", "max_iters=70"});
  made("bert", "masked", {"n_embd=128", "n_layer=2", "batch_size=8"});
}
#endif

TEST_CASE("what the machine does not have is refused before anything is there") {
  const Text folder;
  const auto refused = [&](const Arguments& more, const Program::Options& options,
                           const std::vector<std::string>& parts) {
    const Result result = run_weft(folder, train("run", more), options);
    CHECK(result.code == 2);
    for (const std::string& part : parts)
      CHECK_MESSAGE(contains(result.err, part), result.err << "\ndoes not say " << part);
    CHECK(!exists(folder, "run"));
  };
  refused({"batch_size=1048576", "n_layer=8"}, {},
          {"weft: the run would take ", " of memory, but only ",
           " are to be had: ", "Lower batch_size (1048576; ", "block_size (8)", "set recompute=true"});
  refused({"n_embd=131072", "n_layer=1024"}, {}, {"Lower n_embd (131072) or n_layer (1024)"});
  refused({"n_embd=16384", "n_layer=100"}, {}, {" for weights and optimizer, ", "Lower n_embd"});
  // Limits of the process count like the machine's.
  const Program::Options limited{.memory_limit = long{1} << 30};
  refused({"n_embd=1024", "n_layer=8"}, limited, {"the run would take ", "Lower n_embd"});
  CHECK(run_weft(folder, train("run"), limited).code == 0);
  // What is advised keeps the samples of an update, also where halves would not.
  const Result cut =
      run_weft(folder, train("cut", {"n_layer=4", "n_embd=128", "block_size=256", "batch_size=45"}),
               {.memory_limit = 300l << 20});
  CHECK(cut.code == 2);
  const auto advised = [&](const std::string& key) {
    const size_t at = cut.err.rfind(key + "=");
    return at == std::string::npos ? 0 : std::stol(cut.err.substr(at + key.size() + 1));
  };
  CHECK_MESSAGE(advised("batch_size") < 45, cut.err);
  CHECK_MESSAGE(advised("batch_size") * advised("gradient_accumulation_steps") == 45, cut.err);
}

#ifndef __SANITIZE_ADDRESS__
TEST_CASE("memory that runs out later ends the run, which goes on from its last checkpoint") {
  const Text folder;
  Program program(folder, train("run", {"n_embd=128", "max_iters=1000000", "eval_interval=1000000"}));
  REQUIRE(wait_until([&] { return exists(folder, "run/checkpoints/step-00000005.h5"); }));
  const rlimit limit{1 << 20, 1 << 20};
  REQUIRE(::prlimit(program.id(), RLIMIT_AS, &limit, nullptr) == 0);
  const Result result = program.wait();
  CHECK(result.code == 1);
  // The image of the next checkpoint is what needs most, unless the heap has to grow before.
  CHECK_MESSAGE((contains(result.err, "memory for an image of ") || contains(result.err, "out of memory: ")),
                result.err);
  const std::string last = listed(folder, "run/checkpoints").back();
  Program again(folder, resume("run"));
  CHECK(wait_until([&] { return listed(folder, "run/checkpoints").back() > last; }));
  again.send(SIGINT);
  CHECK(contains(again.wait().err, "going on after "));
}
#endif

TEST_CASE("a run is taken up with less memory when it recomputes") {
  const Text folder;
  const Result first = run_weft(folder, train("run", {"n_layer=8", "batch_size=64", "max_iters=2"}));
  REQUIRE(first.code == 0);
  const Result second = run_weft(folder, resume("run", {"recompute=true", "max_iters=3"}));
  REQUIRE(second.code == 0);
  CHECK(memory_said(second.err, "an update") < 0.7 * memory_said(first.err, "an update"));
}
