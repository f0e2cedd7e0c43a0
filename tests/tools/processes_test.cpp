// Runs of several processes leave the bytes of one.
#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <functional>

#include "mpirun.h"
#include "program.h"
#include "records.h"

namespace {

/// A picture tells its run's name.
std::string without(std::string text, const std::string& name) {
  for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at))
    text.erase(at, name.size());
  return text;
}

void check_same_runs(const Folder& folder, const std::string& a, const std::string& b) {
  CAPTURE(a);
  CAPTURE(b);
  CHECK(files_of(folder, a) == files_of(folder, b));
  CHECK(listed(folder, a + "/checkpoints") == listed(folder, b + "/checkpoints"));
  for (const std::string& file : listed(folder, a + "/checkpoints"))
    CHECK_MESSAGE(folder.read(a + "/checkpoints/" + file) == folder.read(b + "/checkpoints/" + file), file);
  CHECK(folder.read(a + "/best.h5") == folder.read(b + "/best.h5"));
  CHECK((without(folder.read(a + "/loss.svg"), a) == without(folder.read(b + "/loss.svg"), b)));
  CHECK(records_of(folder, a) == records_of(folder, b));
}

/// A command as several processes, against one process of the same shards.
void check_any_number(const std::vector<int>& counts,
                      const std::function<Arguments(const std::string& out)>& command) {
  const Text folder;
  const Result one = run_weft(folder, command("of-1"));
  REQUIRE_MESSAGE(one.code == 0, one.err);
  for (const int count : counts) {
    const std::string out = "of-" + std::to_string(count);
    const Result many = together(folder, count, command(out));
    REQUIRE_MESSAGE(many.code == 0, many.err);
    CHECK(contains(many.err, std::to_string(count) + " processes compute "));
    CHECK_MESSAGE(lines_of(many.out).size() == 1, many.out);
    check_same_runs(folder, "of-1", out);
  }
}

/// A model of a task that makes its own samples.
std::function<Arguments(const std::string&)> of_task(const Arguments& more) {
  return [more](const std::string& out) {
    Arguments all{"train", "--threads", "1", "--out", out};
    for (const std::string& word : more) {
      if (word.find('=') != std::string::npos) all.push_back("--set");
      all.push_back(word);
    }
    for (const char* setting :
         {"batch_size=8", "max_iters=3", "eval_interval=2", "eval_iters=2", "checkpoint_interval=2",
          "dropout=0.1", "n_layer=1", "n_head=2", "n_embd=16"}) {
      all.push_back("--set");
      all.push_back(setting);
    }
    return all;
  };
}

}  // namespace

TEST_CASE("any number of processes leaves the same files: gpt2 with dropout and accumulation, 4 shards") {
  if (!has_mpirun()) return;
  check_any_number({2, 3, 4},
                   [](const std::string& out) { return train(out, of_text({"reduction_shards=4"})); });
}

TEST_CASE(
    "any number of processes leaves the same files: 8 shards, averages, recomputation, optimizer shared "
    "out") {
  if (!has_mpirun()) return;
  check_any_number({2, 3, 4}, [](const std::string& out) {
    return train(out,
                 of_text({"reduction_shards=8", "ema_decay=0.9", "shard_optimizer=true", "recompute=true"}));
  });
}

TEST_CASE("any number of processes leaves the same files: muon, shared out and not") {
  if (!has_mpirun()) return;
  const Text folder;
  for (const std::string shared : {"false", "true"})
    for (const int count : {1, 3}) {
      const std::string out = shared + std::to_string(count);
      const Result ran = together(
          folder, count,
          train(out, of_text({"reduction_shards=4", "optimizer=muon", "shard_optimizer=" + shared})));
      REQUIRE_MESSAGE(ran.code == 0, ran.err);
      check_same_runs(folder, "false1", out);
    }
}

TEST_CASE("any number of processes leaves the same files: t5, bert, vit") {
  if (!has_mpirun()) return;
  check_any_number({2, 3}, of_task({"--model", "t5", "--task", "reverse", "reduction_shards=4"}));
  check_any_number({2, 3}, of_task({"--model", "bert", "--task", "masked-stories", "reduction_shards=4"}));
  check_any_number({2}, of_task({"--model", "vit", "--task", "which", "reduction_shards=8"}));
}

TEST_CASE("threads and instruction sets of the processes may differ") {
  if (!has_mpirun()) return;
  const Text folder;
  const Arguments plain = train("of-1", of_text({"reduction_shards=4"}));
  REQUIRE(run_weft(folder, plain).code == 0);
  Arguments words = mpirun(1);
  words.insert(words.end(), {"-x", "WEFT_ISA=scalar", WEFT_PROGRAM});
  Arguments one = train("mixed", of_text({"reduction_shards=4"}));
  Arguments with_settings;
  for (const std::string& word : one) {
    if (!word.starts_with("--") && word.find('=') != std::string::npos && with_settings.back() != "--set")
      with_settings.push_back("--set");
    with_settings.push_back(word);
  }
  words.insert(words.end(), with_settings.begin(), with_settings.end());
  words.insert(words.end(), {":", "-n", "2"});
  Arguments other = with_settings;
  *(std::find(other.begin(), other.end(), "--threads") + 1) = "3";
  const Result mixed = run_weft(folder, other, {.environment = mpirun_environment(), .under = words});
  REQUIRE_MESSAGE(mixed.code == 0, mixed.err);
  check_same_runs(folder, "of-1", "mixed");
}

TEST_CASE("a run that is stopped goes on with another number of processes, to the same bytes") {
  if (!has_mpirun()) return;
  const Text folder;
  const Arguments more = of_text({"reduction_shards=4", "max_iters=8", "lr_decay_iters=8"});
  REQUIRE(run_weft(folder, train("whole", more)).code == 0);
  Arguments first = more;
  first.push_back("max_iters=2");
  REQUIRE(together(folder, 4, train("cut", first)).code == 0);
  const Result second = together(folder, 2, resume("cut", {"max_iters=4"}));
  REQUIRE_MESSAGE(second.code == 0, second.err);
  const Result third = together(folder, 3, resume("cut", {"max_iters=8", "shard_optimizer=true"}));
  REQUIRE_MESSAGE(third.code == 0, third.err);
  CHECK(last_saved(folder, "cut") == last_saved(folder, "whole"));
}

TEST_CASE("SIGTERM to any process stops all after a save, and the run goes on") {
  if (!has_mpirun()) return;
  const Text folder;
  const Arguments more = of_text({"reduction_shards=4", "max_iters=30", "lr_decay_iters=30",
                                  "eval_interval=30", "checkpoint_interval=10"});
  REQUIRE(run_weft(folder, train("whole", more)).code == 0);
  for (const int rank : {0, 1}) {
    CAPTURE(rank);
    const std::string out = "stopped" + std::to_string(rank);
    Arguments slow = more;
    slow.push_back("max_iters=100000");
    Program run(folder, train(out, slow), {.environment = mpirun_environment(), .under = mpirun(2)});
    const std::vector<int> processes = processes_below(run, 2);
    REQUIRE(processes.size() == 2);
    REQUIRE(wait_until([&] { return count_of(folder.read(out + "/metrics.jsonl"), "grad_norm") > 3; }));
    ::kill(processes[static_cast<size_t>(rank)], SIGTERM);
    const Result stopped = end_of(run);
    CHECK(stopped.code == 143);
    CHECK_MESSAGE(count_of(stopped.err, "stopped by SIGTERM after ") == 1, stopped.err);
  }
}

TEST_CASE("what cannot be done together is refused once, with what to type") {
  if (!has_mpirun()) return;
  const Text folder;
  const auto refused = [&](int count, const Arguments& arguments, const std::string& part,
                           const std::vector<std::string>& environment = {}) {
    const Result result = together(folder, count, arguments, environment);
    CAPTURE(result.err);
    CHECK(result.code == 2);
    CHECK(count_of(result.err, part) == 1);
    CHECK(count_of(result.err, "weft: ") == 1);
    return result;
  };
  refused(3, train("a"), "--set reduction_shards=4");
  refused(3, train("a", {"reduction_shards=2"}), "--set reduction_shards=4");
  refused(2, train("a", {"reduction_shards=3"}), "not a power of two");
  refused(2, train("a", {"reduction_shards=64"}), "an update has only");
  refused(2, train("a", {"reduction_shards=4", "n_lyer=2"}), "did you mean 'n_layer'");
  refused(2, {"eval", "a"}, "only train works on several");
  refused(2, {"nonsense"}, "nonsense");
  refused(2, resume("nowhere"), "there is no such run");
  CHECK_FALSE(exists(folder, "a"));
  const Result lacking =
      together(folder, 2, train("a", {"reduction_shards=4"}), {"WEFT_PLUGINS=" + folder.path("none")});
  CHECK(lacking.code == 2);
  CHECK_MESSAGE(count_of(lacking.err, "install the package weft-mpi") == 1, lacking.err);
  // A program that one of several started.
  Arguments words = mpirun(2);
  words.insert(
      words.end(),
      {"sh", "-c", "WEFT_JOINED=\"job $PMIX_NAMESPACE$OMPI_MCA_ess_base_jobid\" exec \"$0\" \"$@\""});
  const Result nested = run_weft(folder, train("a", {"reduction_shards=4"}),
                                 {.environment = mpirun_environment(), .under = words});
  CHECK(nested.code == 2);
  CHECK_MESSAGE(count_of(nested.err, "was started by one of the 2 processes") == 1, nested.err);
}

TEST_CASE("processes that differ are named, with what differs") {
  if (!has_mpirun()) return;
  const Text folder;
  folder.write("other.txt", folder.read("text.txt") + "one more line\n");
  const auto differing = [&](const Arguments& first, const Arguments& second, const std::string& part) {
    Arguments words = mpirun(1);
    words.push_back(WEFT_PROGRAM);
    const auto spelled = [](const Arguments& arguments) {
      Arguments all;
      for (const std::string& word : arguments) {
        if (!word.starts_with("--") && word.find('=') != std::string::npos && all.back() != "--set")
          all.push_back("--set");
        all.push_back(word);
      }
      return all;
    };
    for (const std::string& word : spelled(first)) words.push_back(word);
    words.insert(words.end(), {":", "-n", "1"});
    const Result result =
        run_weft(folder, spelled(second), {.environment = mpirun_environment(), .under = words});
    CAPTURE(result.err);
    CHECK(result.code == 2);
    CHECK(contains(result.err, "process 1 ("));
    CHECK(count_of(result.err, part) == 1);
    CHECK_FALSE(exists(folder, "a/config.toml"));
  };
  differing(train("a", {"reduction_shards=4"}), train("a", {"reduction_shards=4", "learning_rate=0.5"}),
            "learning_rate = 0.5");
  Arguments other = train("a", {"reduction_shards=4"});
  *(std::find(other.begin(), other.end(), "--data") + 1) = "other.txt";
  differing(train("a", {"reduction_shards=4"}), other,
            "other.txt: is not the text that the run was made with");
}
