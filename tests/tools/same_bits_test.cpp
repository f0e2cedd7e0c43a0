// Whole training runs, dropout on: threads, instruction sets, the cut into micro-batches, recomputation and a
// stop decide no bit of what they leave.
#include <doctest/doctest.h>

#include <algorithm>

#include "checkpoints.h"
#include "program.h"

namespace {

constexpr const char* last = "/checkpoints/step-00000004.h5";

/// Four updates of a model whose products take every way through lib/kernels/gemm.cpp: a row alone in the
/// sample, small ones, and, at 288 tokens in a micro-batch, packed panels, with edges that no tile divides.
Arguments run(const std::string& out, const Arguments& more = {}) {
  Arguments settings{"n_layer=2",       "n_embd=48",       "block_size=24",
                     "batch_size=12",   "max_iters=4",     "bias=true",
                     "eval_iters=1",    "dropout=0.1",     "checkpoint_interval=4",
                     "sample_tokens=3", "eval_interval=2", "lr_decay_iters=4"};
  settings.insert(settings.end(), more.begin(), more.end());
  return train(out, settings);
}

Arguments on_threads(Arguments arguments, const std::string& threads) {
  *(std::find(arguments.begin(), arguments.end(), "--threads") + 1) = threads;
  return arguments;
}

void check_same_files(const Folder& folder, const std::string& a, const std::string& b) {
  for (const char* file : {last, "/best.h5"})
    CHECK_MESSAGE(folder.read(a + file) == folder.read(b + file), a);
}

/// Everything that a run says of its losses and gradients.
std::vector<double> numbers(const Folder& folder, const std::string& run) {
  std::vector<double> all;
  for (const std::string& line : lines_of(folder.read(run + "/metrics.jsonl"))) {
    const bool evaluation = contains(line, "val_loss");
    for (const char* name : {evaluation ? "train_loss" : "loss", evaluation ? "val_loss" : "grad_norm"})
      all.push_back(number_in(line, name));
  }
  return all;
}

/// What runs compute with; of bfloat16 with an odd number of tokens in a sample, which fills no pairs.
const std::vector<Arguments> types{{"dtype=float32"}, {"dtype=bfloat16", "block_size=23"}};

void check_sets_and_threads(const Arguments& type) {
  const Text folder;
  const Result plain = run_weft(folder, run("plain", type), {.environment = {"WEFT_ISA=scalar"}});
  REQUIRE_MESSAGE(plain.code == 0, plain.err);
  for (const std::string set : {"avx512", "avx2", "scalar"}) {
    for (const std::string threads : {"1", "2", "3", "4"}) {
      const std::string out = set + "-" + threads;
      const Result result =
          run_weft(folder, on_threads(run(out, type), threads), {.environment = {"WEFT_ISA=" + set}});
      if (result.code == 2 && contains(result.err, "this processor lacks")) {
        MESSAGE("skipped: this processor lacks ", set);
        break;
      }
      REQUIRE_MESSAGE(result.code == 0, result.err);
      check_same_files(folder, out, "plain");
      CHECK(numbers(folder, out) == numbers(folder, "plain"));
    }
  }
}

}  // namespace

TEST_CASE("any instruction set and number of threads leaves the same bytes") {
  for (const Arguments& type : types) check_sets_and_threads(type);
}

TEST_CASE("however products are cut for the caches, the bytes are the same; what sets it is checked") {
  const Text folder;
  REQUIRE(run_weft(folder, run("usual")).code == 0);
  const Result other =
      run_weft(folder, run("other"), {.environment = {"WEFT_TUNING=depth=64 panels=1 near_floats=1000"}});
  REQUIRE_MESSAGE(other.code == 0, other.err);
  check_same_files(folder, "other", "usual");
  for (const std::string words : {"depth", "width=3", "depth=0", "panels=many"}) {
    const Result refused = run_weft(folder, run("none"), {.environment = {"WEFT_TUNING=" + words}});
    CHECK(refused.code == 2);
    CHECK_MESSAGE(contains(refused.err, "WEFT_TUNING"), refused.err);
    CHECK_FALSE(exists(folder, "none"));
  }
  const Result word = run_weft(folder, run("none", types[1]), {.environment = {"WEFT_BFLOAT16=maybe"}});
  CHECK(word.code == 2);
  CHECK_MESSAGE(contains(word.err, "WEFT_BFLOAT16=maybe"), word.err);
}

TEST_CASE("a processor without vector instructions leaves the same bytes") {
  const Text folder;
  const Arguments nehalem{"qemu-x86_64", "-cpu", "Nehalem"};
  if (run_weft(folder, {"--version"}, {.under = nehalem}).code != 0) {
    MESSAGE("skipped: there is no qemu-x86_64 (package qemu-user)");
    return;
  }
  const Arguments few{"max_iters=4", "eval_interval=4", "eval_iters=1"};
  REQUIRE(run_weft(folder, train("native", few)).code == 0);
  const Result result = run_weft(folder, train("emulated", few), {.under = nehalem});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  check_same_files(folder, "emulated", "native");
}

TEST_CASE("far more threads than cores leave the same bytes") {
  const Text folder;
  REQUIRE(run_weft(folder, run("one")).code == 0);
  for (const std::string threads : {"64", "1024"}) {
    const Result result = run_weft(folder, on_threads(run(threads), threads));
    REQUIRE_MESSAGE(result.code == 0, result.err);
    check_same_files(folder, threads, "one");
  }
}

namespace {

void check_cuts(const Arguments& type) {
  struct Cut {
    const char *rows, *parts, *eval;
  };
  const Text folder;
  REQUIRE(run_weft(folder, run("whole", type)).code == 0);
  const std::vector<double> numbers_of_whole = numbers(folder, "whole");
  CHECK(numbers_of_whole.size() == 14);
  for (const Cut& cut : {Cut{"12", "1", "1"}, Cut{"4", "3", "3"}, Cut{"1", "12", "12"}}) {
    for (const std::string recompute : {"false", "true"}) {
      const std::string out = std::string(cut.rows) + "-" + recompute;
      CAPTURE(out);
      const Arguments arguments =
          run(out, with(type, {std::string("batch_size=") + cut.rows,
                               std::string("gradient_accumulation_steps=") + cut.parts,
                               std::string("eval_iters=") + cut.eval, "recompute=" + recompute}));
      const Result result = run_weft(folder, on_threads(arguments, recompute == "true" ? "2" : "1"));
      REQUIRE_MESSAGE(result.code == 0, result.err);
      for (const char* part : {"model", "training/optimizer", "training/loader", "training/history"})
        CHECK_MESSAGE(same_part(part, folder.path(out + last), folder.path(std::string("whole") + last)),
                      part);
      CHECK(numbers(folder, out) == numbers_of_whole);
    }
  }
  check_same_files(folder, "12-true", "whole");
}

}  // namespace

TEST_CASE("a batch at once, in parts and row by row, recomputed or not: the same weights and losses") {
  for (const Arguments& type : types) check_cuts(type);
}

TEST_CASE("bfloat16: near float32, resumed to the same bytes, and changed by --continue alone") {
  const Text folder;
  const Arguments& narrow = types[1];
  REQUIRE(run_weft(folder, run("narrow", narrow)).code == 0);
  REQUIRE(run_weft(folder, run("wide", {"block_size=23"})).code == 0);
  const std::vector<double> found = numbers(folder, "narrow"), expected = numbers(folder, "wide");
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) CHECK(found[i] == doctest::Approx(expected[i]).epsilon(0.02));
  CHECK(found != expected);
  REQUIRE(run_weft(folder, run("stopped", with(narrow, {"max_iters=2"}))).code == 0);
  refused_with(folder, resume("stopped", {"dtype=float32"}), {"dtype", "--continue"});
  REQUIRE(run_weft(folder, resume("stopped", {"max_iters=4"})).code == 0);
  check_same_files(folder, "stopped", "narrow");
  const Arguments on{"train", "--continue", "narrow", "--out", "on", "--set", "dtype=float32", "max_iters=6"};
  const Result result = run_weft(folder, on);
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(contains(folder.read("on/config.toml"), "\ndtype = \"float32\" "));
}

TEST_CASE("recomputation may be switched on resume") {
  const Text folder;
  REQUIRE(run_weft(folder, run("straight")).code == 0);
  REQUIRE(run_weft(folder, run("switched", {"max_iters=2", "recompute=true"})).code == 0);
  REQUIRE(contains(folder.read("switched/config.toml"), "\nrecompute = true "));
  REQUIRE(run_weft(folder, resume("switched", {"max_iters=4", "recompute=false"})).code == 0);
  REQUIRE(contains(folder.read("switched/config.toml"), "\nrecompute = false "));
  check_same_files(folder, "switched", "straight");
}
