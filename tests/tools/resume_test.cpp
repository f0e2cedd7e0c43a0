#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include "checkpoints.h"
#include "program.h"

namespace {

/// The bytes that must be what they are in a run that was never stopped.
struct ResumeOutcome {
  std::string last, best;
  bool operator==(const ResumeOutcome&) const = default;
};

ResumeOutcome outcome_of(const Folder& folder, const std::string& run) {
  const std::string last = listed(folder, run + "/checkpoints").back();
  return {folder.read(run + "/checkpoints/" + last), folder.read(run + "/best.h5")};
}

/// How often each step stands in the log, updates and evaluations apart.
bool each_step_once(const Folder& folder, const std::string& run, size_t updates) {
  std::map<std::string, int> seen;
  size_t found = 0;
  for (const std::string& line : lines_of(folder.read(run + "/metrics.jsonl"))) {
    const bool update = !contains(line, "val_loss");
    found += update;
    if (++seen[(update ? "u" : "e") + std::to_string(number_in(line, "step"))] > 1) return false;
  }
  return found == updates;
}

std::string size_of_log(const Folder& folder, const std::string& run) {
  return exists(folder, run + "/metrics.jsonl") ? folder.read(run + "/metrics.jsonl") : "";
}

/// Lets a run be until its log has so many lines.
bool reach(const Program& program, const Folder& folder, const std::string& run, size_t lines) {
  return wait_until([&] { return !program.running() || lines_of(size_of_log(folder, run)).size() >= lines; });
}

constexpr const char* longer = "max_iters=300";

Names longer_run() { return {longer, "checkpoint_interval=40", "eval_interval=30"}; }

}  // namespace

TEST_CASE("every k: k updates, then the rest, equal all at once") {
  const Text folder;
  const Names settings{"max_iters=12", "lr_decay_iters=12", "eval_interval=1", "checkpoint_interval=5"};
  REQUIRE(run_weft(folder, train("whole", settings)).code == 0);
  const ResumeOutcome whole = outcome_of(folder, "whole");
  for (int k = 0; k <= 12; ++k) {
    const std::string run = "k" + std::to_string(k);
    Names first = settings;
    first[0] = "max_iters=" + std::to_string(k);
    REQUIRE(run_weft(folder, train(run, first)).code == 0);
    REQUIRE(run_weft(folder, resume(run, {"max_iters=12"})).code == 0);
    CHECK_MESSAGE(outcome_of(folder, run) == whole, "k = ", k);
    CHECK_MESSAGE(each_step_once(folder, run, 12), "k = ", k);
  }
}

TEST_CASE("kill -9 at any instant, with 1 to 4 threads") {
  const Text folder;
  REQUIRE(run_weft(folder, train("whole", longer_run())).code == 0);
  const ResumeOutcome whole = outcome_of(folder, "whole");
  std::mt19937 random(11);
  for (int round = 0; round < 8; ++round) {
    const std::string run = "run" + std::to_string(round), threads = std::to_string(1 + round % 4);
    Arguments next = train(run, longer_run());
    int kills = 0;
    for (; kills < 6; ++kills) {
      *(std::find(next.begin(), next.end(), "--threads") + 1) = threads;
      Program program(folder, next);
      std::this_thread::sleep_for(std::chrono::milliseconds(5 + random() % 90));
      program.send(SIGKILL);
      const Result result = program.wait();
      if (result.code == 0) break;
      REQUIRE_MESSAGE(result.code == 128 + SIGKILL, result.err);
      // Killed before there was a run: it begins anew.
      next = exists(folder, run + "/config.toml") ? resume(run) : train(run, longer_run());
    }
    if (exists(folder, run + "/config.toml")) {
      const Result result = run_weft(folder, resume(run));
      REQUIRE_MESSAGE(result.code == 0, result.err);
    } else {
      REQUIRE(run_weft(folder, train(run, longer_run())).code == 0);
    }
    CHECK_MESSAGE(outcome_of(folder, run) == whole, "round ", round, " after ", kills, " kills");
    CHECK(each_step_once(folder, run, 300));
    CHECK(listed(folder, run + "/checkpoints") == listed(folder, "whole/checkpoints"));
  }
}

TEST_CASE("killed between the last checkpoint and the removal of the oldest: the resume removes it") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run", longer_run())).code == 0);
  const Names kept = listed(folder, "run/checkpoints");
  REQUIRE(kept.size() == 3);
  folder.write("run/checkpoints/step-00000120.h5", folder.read("run/checkpoints/" + kept[0]));
  REQUIRE(run_weft(folder, resume("run")).code == 0);
  CHECK(listed(folder, "run/checkpoints") == kept);
}

TEST_CASE("SIGTERM and SIGINT: the step is finished and saved") {
  const Text folder;
  REQUIRE(run_weft(folder, train("whole", longer_run())).code == 0);
  const ResumeOutcome whole = outcome_of(folder, "whole");
  size_t lines = 20;
  for (const int signal : {SIGTERM, SIGINT, SIGTERM}) {
    const std::string run = "run" + std::to_string(lines);
    Program program(folder, train(run, longer_run()));
    REQUIRE(reach(program, folder, run, lines));
    program.send(signal);
    Result result = program.wait();
    REQUIRE_MESSAGE(result.code == 128 + signal, result.err);
    CHECK(contains(result.err, signal == SIGINT ? "stopped by SIGINT after " : "stopped by SIGTERM after "));
    // Twice, so that one irregular checkpoint follows another.
    Program again(folder, resume(run));
    reach(again, folder, run, lines + 70);
    again.send(signal);
    again.wait();
    result = run_weft(folder, resume(run));
    REQUIRE_MESSAGE(result.code == 0, result.err);
    CHECK(outcome_of(folder, run) == whole);
    CHECK(each_step_once(folder, run, 300));
    CHECK(listed(folder, run + "/checkpoints") == listed(folder, "whole/checkpoints"));
    lines += 50;
  }
}

TEST_CASE("what a stop saved between two checkpoints takes the place of none of them") {
  const Text folder;
  Program program(folder, train("run", {"max_iters=3000", "checkpoint_interval=1000", "eval_interval=1500"}));
  REQUIRE(reach(program, folder, "run", 2300));
  program.send(SIGTERM);
  CHECK(program.wait().code == 128 + SIGTERM);
  const Names stopped = listed(folder, "run/checkpoints");
  REQUIRE(stopped.size() == 3);
  CHECK(stopped[1] == "step-00002000.h5");
  REQUIRE(run_weft(folder, resume("run")).code == 0);
  CHECK(listed(folder, "run/checkpoints") ==
        Names{"step-00001000.h5", "step-00002000.h5", "step-00003000.h5"});
}

TEST_CASE("a second signal ends it at once") {
  const Text folder;
  Program program(folder, train("run", {"max_iters=100000", "eval_iters=0", "eval_interval=100000",
                                        "n_embd=64", "batch_size=512", "block_size=64"}));
  REQUIRE(wait_until([&] { return exists(folder, "run/metrics.jsonl"); }));
  program.send(SIGINT);
  program.send(SIGTERM);
  const Result result = program.wait();
  CHECK((result.code == 143 || result.code == 130));
  CHECK(exists(folder, "run/config.toml"));
}

TEST_CASE("a run that was stopped before its first checkpoint starts at 0") {
  const Text folder;
  REQUIRE(run_weft(folder, train("whole")).code == 0);
  std::filesystem::create_directory(folder.path("run"));
  folder.write("run/config.toml", folder.read("whole/config.toml"));
  REQUIRE(run_weft(folder, resume("run")).code == 0);
  CHECK(outcome_of(folder, "run") == outcome_of(folder, "whole"));
  CHECK(each_step_once(folder, "run", 20));
}

TEST_CASE("damaged checkpoints are skipped, with a message") {
  const Text folder;
  REQUIRE(run_weft(folder, train("whole")).code == 0);
  const ResumeOutcome whole = outcome_of(folder, "whole");
  REQUIRE(run_weft(folder, train("run", {"max_iters=15", "lr_decay_iters=20"})).code == 0);
  std::string bytes = folder.read("run/checkpoints/step-00000015.h5");
  bytes[bytes.size() / 2] ^= 1;
  folder.write("run/checkpoints/step-00000015.h5", bytes);
  folder.write("run/checkpoints/step-00000010.h5",
               folder.read("run/checkpoints/step-00000010.h5").substr(0, 5000));
  const Result result = run_weft(folder, resume("run", {"max_iters=20"}));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(contains(result.err, "skipped: run/checkpoints/step-00000015.h5: is damaged"));
  CHECK(contains(result.err, "skipped: run/checkpoints/step-00000010.h5: is truncated"));
  CHECK(contains(result.err, "going on after 5 updates"));
  CHECK(outcome_of(folder, "run") == whole);
  CHECK(each_step_once(folder, "run", 20));
}

TEST_CASE("when no step can be read, best.h5 is where the run goes on") {
  const Text folder;
  REQUIRE(run_weft(folder, train("whole")).code == 0);
  const ResumeOutcome whole = outcome_of(folder, "whole");
  const auto lose_steps = [&](const std::string& run) {
    for (const auto& file : std::filesystem::directory_iterator(folder.path(run + "/checkpoints")))
      std::filesystem::resize_file(file.path(), 1000);
  };
  REQUIRE(run_weft(folder, train("run")).code == 0);
  lose_steps("run");
  const Result result = run_weft(folder, resume("run"));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(contains(result.err, "no step can be read; going on from run/best.h5"));
  CHECK(contains(result.err, "going on after "));
  CHECK(folder.read("run/best.h5") == folder.read("whole/best.h5"));
  CHECK(each_step_once(folder, "run", 20));

  lose_steps("run");
  std::filesystem::resize_file(folder.path("run/best.h5"), 1000);
  const Result again = run_weft(folder, resume("run"));
  CHECK(again.code == 2);
  CHECK(contains(again.err, "nothing is begun anew over it"));
  CHECK(contains(again.err, "run/best.h5: is truncated"));
  CHECK(contains(again.err, "--start-over"));
  CHECK(folder.read("run/best.h5").size() == 1000);  // nothing was touched
  const Result over = run_weft(folder, {"train", "--resume", "run", "--start-over", "--threads", "1"});
  REQUIRE_MESSAGE(over.code == 0, over.err);
  CHECK(exists(folder, "run/before-1/best.h5"));
  CHECK(outcome_of(folder, "run") == whole);
  const Result needless = run_weft(folder, {"train", "--resume", "run", "--start-over"});
  CHECK(needless.code == 2);
  CHECK(contains(needless.err, "can go on"));
}

TEST_CASE("a run of which only best.h5 and config.toml were kept goes on from it") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run")).code == 0);
  const std::string best = folder.read("run/best.h5");
  std::filesystem::remove_all(folder.path("run/checkpoints"));
  std::filesystem::remove(folder.path("run/metrics.jsonl"));
  const Result result = run_weft(folder, resume("run", {"max_iters=25"}));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(contains(result.err, "the checkpoints are gone; going on from run/best.h5"));
  CHECK(exists(folder, "run/checkpoints/step-00000025.h5"));
  // All of it gone, the log alone left: that is not a beginning.
  std::filesystem::remove_all(folder.path("run/checkpoints"));
  std::filesystem::remove(folder.path("run/best.h5"));
  const Result lost = run_weft(folder, resume("run", {"max_iters=30"}));
  CHECK(lost.code == 2);
  CHECK(contains(lost.err, "the log tells of updates"));
}

TEST_CASE("a checkpoint under the name of another step is not taken") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run")).code == 0);
  std::filesystem::copy_file(folder.path("run/checkpoints/step-00000010.h5"),
                             folder.path("run/checkpoints/step-00000040.h5"));
  const Result result = run_weft(folder, resume("run", {"max_iters=21"}));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(contains(result.err, "step-00000040.h5: holds step 10"));
  CHECK(contains(result.err, "going on after 20 updates"));
}

TEST_CASE("a run goes on as a new one with other settings, and its ledger names the old one") {
  const Text folder;
  REQUIRE(run_weft(folder, train("old", {"ema_decay=0.9"})).code == 0);
  const Result result = run_weft(folder, {"train", "--continue", "old", "--out", "new", "--threads", "1",
                                          "--set", "max_iters=30", "learning_rate=0.002", "batch_size=8"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(contains(result.err, "optimizer from old/checkpoints/step-00000020.h5 (20 steps)"));
  CHECK(contains(result.err, "parameters goes on"));
  CHECK(contains(result.err, "data go on behind"));
  const std::string toml = folder.read("new/config.toml");
  CHECK(contains(toml, "carries = \"all\""));
  CHECK(contains(toml, "lr_decay_iters = 30"));
  CHECK(contains(toml, "learning_rate = 0.002"));
  CHECK(contains(toml, "ema_decay = 0.9"));
  CHECK(contains(run_weft(folder, {"inspect", "new"}).out, "goes on from old, step"));
  // It is resumed as any other, and killed at once begins from the same.
  CHECK(run_weft(folder, resume("new", {"max_iters=31"})).code == 0);
  std::filesystem::create_directory(folder.path("again"));
  folder.write("again/config.toml", toml);
  REQUIRE(run_weft(folder, resume("again")).code == 0);
  REQUIRE(run_weft(folder, {"train", "--continue", "old", "--out", "third", "--threads", "1", "--set",
                            "max_iters=30", "learning_rate=0.002", "batch_size=8"})
              .code == 0);
  CHECK(outcome_of(folder, "again") == outcome_of(folder, "third"));
}

TEST_CASE("the state of the optimizer goes along to a model that has changed, for what still fits") {
  const Text folder;
  REQUIRE(run_weft(folder, train("old")).code == 0);
  Result result = run_weft(folder, train("new", {"--init-from", "old", "--with-optimizer", "n_layer=2"}));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(contains(result.err, "parameters goes on"));
  CHECK(contains(result.err, "  new:\n    blocks.1.attention.query.weight"));
  result = run_weft(folder, train("lion", {"--init-from", "old", "--with-optimizer", "optimizer=lion"}));
  CHECK(result.code == 2);
  CHECK(contains(result.err, "is of another optimizer than lion"));
  CHECK(run_weft(folder, train("none", {"--with-optimizer"})).code == 2);
}

TEST_CASE("what thaws counts its own updates, and the run goes on from any of them to the same bytes") {
  const Text folder;
  REQUIRE(run_weft(folder, train("old", {"freeze=blocks.*"})).code == 0);
  const auto thawed = [&](const std::string& out, const std::string& length) {
    const Result result =
        run_weft(folder, {"train", "--continue", "old", "--out", out, "--threads", "1", "--set",
                          "freeze=", "lr_decay_iters=26", "eval_interval=1", length});
    REQUIRE_MESSAGE(result.code == 0, result.err);
  };
  const auto counted = [&](const std::string& run) {
    return keys_under(folder.path(run + "/checkpoints/" + listed(folder, run + "/checkpoints").back()),
                      "training/optimizer");
  };
  thawed("whole", "max_iters=26");
  thawed("cut", "max_iters=3");
  REQUIRE(run_weft(folder, resume("cut", {"max_iters=26"})).code == 0);
  CHECK(outcome_of(folder, "cut") == outcome_of(folder, "whole"));
  CHECK(counted("old") == Names{"m", "step", "v"});
  CHECK(counted("whole") == Names{"counts", "m", "step", "v"});
}

TEST_CASE("a damaged best.h5 is restored from the checkpoint of its step") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run")).code == 0);
  const std::string best = folder.read("run/best.h5");
  folder.write("run/best.h5", best.substr(1));
  CHECK(run_weft(folder, {"generate", "run"}).code == 2);
  CHECK(contains(run_weft(folder, {"generate", "run"}).err, "--last"));
  CHECK(run_weft(folder, {"generate", "run", "--last", "--tokens", "3"}).code == 0);
  const Result result = run_weft(folder, resume("run"));
  CHECK(result.code == 0);
  CHECK_MESSAGE(folder.read("run/best.h5") == best, result.err);
}

TEST_CASE("best.h5 ahead of the newest checkpoint, and another eval_interval") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run", {"eval_interval=3"})).code == 0);
  // As if killed after the evaluation at 18, before the checkpoint at 20: best.h5 knows more than step-15.
  const Names settings{"max_iters=18", "lr_decay_iters=20", "eval_interval=3"};
  REQUIRE(run_weft(folder, train("ahead", settings)).code == 0);
  std::filesystem::remove(folder.path("ahead/checkpoints/step-00000018.h5"));
  const Result result = run_weft(folder, resume("ahead", {"max_iters=20", "eval_interval=4"}));
  REQUIRE(result.code == 0);
  CHECK(contains(result.err, "going on after 18 updates"));
  const std::string inspected = run_weft(folder, {"inspect", "ahead", "--json"}).out;
  CHECK(contains(inspected, "\"step\": 20"));
  const double best = number_in(run_weft(folder, {"eval", "ahead", "--json"}).out, "loss");
  CHECK(best > 0);
  // The history of the last checkpoint holds the step that best.h5 is of.
  const double step = number_in(run_weft(folder, {"inspect", "ahead/best.h5", "--json"}).out, "step");
  CHECK(
      contains(inspected, "\"step\": " + std::to_string(static_cast<int>(step)) + ",\n      \"train_loss\""));
}

TEST_CASE("what may change on resume, and what may not") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run", {"max_iters=10"})).code == 0);
  for (const char* setting : {"n_layer=2", "learning_rate=1", "seed=2", "dropout=0", "tokenizer=byte",
                              "batch_size=8", "lr_decay_iters=99", "sample_tokens=4"}) {
    const Result result = run_weft(folder, resume("run", {setting}));
    CHECK(result.code == 2);
    CHECK(contains(result.err, "is fixed when a run is created"));
  }
  CHECK(run_weft(folder, resume("run", {"max_iters=5"})).code == 2);
  CHECK(run_weft(folder, resume("run", {"nonsense=5"})).code == 2);
  for (const char* option : {"--out", "--config", "--init-from"})
    CHECK(run_weft(folder, resume("run", {option, "other"})).code == 2);

  REQUIRE(run_weft(folder, resume("run", {"max_iters=14", "eval_interval=2", "eval_iters=1", "log_interval=2",
                                          "checkpoint_interval=7", "keep_checkpoints=1", "patience=9"}))
              .code == 0);
  CHECK(listed(folder, "run/checkpoints") == Names{"step-00000014.h5"});
  const std::string config = folder.read("run/config.toml");
  CHECK(contains(config, "\nmax_iters = 14 "));
  CHECK(contains(config, "\nlr_decay_iters = 10 "));
  CHECK(contains(config, "\npatience = 9 "));
}

TEST_CASE("config.toml changed by hand") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run", {"max_iters=10"})).code == 0);
  std::string config = folder.read("run/config.toml");
  folder.write("run/config.toml", std::string(config).replace(config.find("n_embd = 16"), 11, "n_embd = 18"));
  const Result result = run_weft(folder, resume("run"));
  CHECK(result.code == 2);
  CHECK(contains(result.err, "n_embd is 18, but the run was made with 16"));
  folder.write("run/config.toml",
               std::string(config).replace(config.find("max_iters = 10"), 14, "max_iters = 12"));
  CHECK(run_weft(folder, resume("run")).code == 0);
  CHECK(exists(folder, "run/checkpoints/step-00000012.h5"));
  folder.write("run/config.toml", "n_embd = \n");
  CHECK(contains(run_weft(folder, resume("run")).err, "config.toml:1: is not TOML"));
  std::filesystem::remove(folder.path("run/config.toml"));
  CHECK(run_weft(folder, resume("run")).code == 2);
}

TEST_CASE("the text: elsewhere, and another one") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run", {"max_iters=10", "boundaries=none"})).code == 0);
  const std::string text = folder.read("text.txt");
  folder.write("a.txt", text.substr(0, 1000));
  folder.write("b.txt", text.substr(1000));
  std::filesystem::remove(folder.path("text.txt"));
  CHECK(run_weft(folder, resume("run", {"max_iters=12"})).code == 2);
  CHECK(run_weft(folder, resume("run", {"max_iters=12", "--data", "b.txt", "a.txt"})).code == 2);
  folder.write("c.txt", text + ".");
  const Result other = run_weft(folder, resume("run", {"max_iters=12", "--data", "c.txt"}));
  CHECK(other.code == 2);
  CHECK(contains(other.err, "is not the text that the run was made with"));
  REQUIRE(run_weft(folder, resume("run", {"max_iters=12", "--data", "a.txt", "b.txt"})).code == 0);
  CHECK(run_weft(folder, {"eval", "run"}).code == 0);
}

TEST_CASE("a project that is moved as a whole") {
  const Text folder;
  REQUIRE(run_weft(folder, {"train", "--data", "text.txt", "--out", "whole/runs/a", "--set", "max_iters=8",
                            "n_layer=1", "eval_interval=4", "sample_tokens=0"})
              .code == 0);
  std::filesystem::create_directories(folder.path("p/data"));
  std::filesystem::copy_file(folder.path("text.txt"), folder.path("p/data/text.txt"));
  REQUIRE(run_weft(folder, {"train", "--data", "p/data/text.txt", "--out", "p/runs/a", "--set", "max_iters=4",
                            "lr_decay_iters=8", "n_layer=1", "eval_interval=4", "sample_tokens=0"})
              .code == 0);
  CHECK(contains(folder.read("p/runs/a/config.toml"),
                 "\ndata = [\"../../data/text.txt\"]\npaths_from = \"here\" "));
  std::filesystem::rename(folder.path("p"), folder.path("q"));
  Result result = run_weft(folder, {"eval", "q/runs/a"});
  CHECK_MESSAGE(result.code == 0, result.err);
  result = run_weft(folder, {"train", "--resume", "q/runs/a", "--set", "max_iters=8"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(folder.read("q/runs/a/checkpoints/step-00000008.h5") ==
        folder.read("whole/runs/a/checkpoints/step-00000008.h5"));
  // As before: from another folder, through a link, and with a file that lies elsewhere, from the root.
  std::filesystem::create_directory_symlink(folder.path("q/runs/a"), folder.path("link"));
  CHECK(run_weft(folder, {"eval", "link"}).code == 0);
  REQUIRE(run_weft(folder, {"train", "--data", "text.txt", "--out", "q/runs/b/c", "--set", "max_iters=1",
                            "n_layer=1", "eval_interval=4", "sample_tokens=0"})
              .code == 0);
  CHECK(contains(folder.read("q/runs/b/c/config.toml"),
                 "\ndata = [\"" + folder.path("text.txt") + "\"]\nmodel"));

  // A file of before names the text from the root: what lies by the run as it did is found, and kept so.
  std::string config = folder.read("q/runs/a/config.toml");
  const size_t begin = config.find("data = "), end = config.find("model = ");
  const std::string absolute = "data = [\"" + folder.path("p/data/text.txt") + "\"]\n";
  folder.write("q/runs/a/config.toml", config.substr(0, begin) + absolute + config.substr(end));
  result = run_weft(folder, {"eval", "q/runs/a"});
  CHECK(result.code == 0);
  CHECK_MESSAGE(
      contains(result.err, "p/data/text.txt is not there; read instead: " + folder.path("q/data/text.txt")),
      result.err);
  REQUIRE(run_weft(folder, {"train", "--resume", "q/runs/a", "--set", "max_iters=9"}).code == 0);
  CHECK(run_weft(folder, {"eval", "q/runs/a"}).err.empty());
  std::filesystem::remove(folder.path("q/data/text.txt"));
  result = run_weft(folder, {"train", "--continue", "q/runs/a", "--out", "more"});
  CHECK(result.code == 2);
  CHECK_MESSAGE(
      contains(result.err, "says that the text of the run lies; there is --data " + folder.path("text.txt")),
      result.err);
  std::filesystem::remove(folder.path("text.txt"));
  result = run_weft(folder, {"eval", "q/runs/a"});
  CHECK(result.code == 2);
  CHECK_MESSAGE(contains(result.err,
                         "q/data/text.txt: is not there, where q/runs/a/config.toml says that the text of "
                         "the run lies; --data FILE tells where it lies now"),
                result.err);
}

TEST_CASE("a run of before keeps its paths as they are") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run", {"max_iters=4"})).code == 0);
  std::string config = folder.read("run/config.toml");
  const size_t begin = config.find("data = "), end = config.find("model = ");
  const std::string absolute = "data = [\"" + folder.path("text.txt") + "\"]\n";
  config.replace(begin, end - begin, absolute);
  folder.write("run/config.toml", config);
  REQUIRE(run_weft(folder, resume("run", {"max_iters=6"})).code == 0);
  CHECK(contains(folder.read("run/config.toml"), "\n" + absolute + "model = "));
}

TEST_CASE("two processes on one folder") {
  const Text folder;
  Program first(folder, train("run", {"max_iters=1000000"}));
  REQUIRE(wait_until([&] { return exists(folder, "run/best.h5"); }));
  const Result second = run_weft(folder, resume("run"));
  CHECK(second.code == 2);
  CHECK(contains(second.err, "another process"));
  CHECK(run_weft(folder, train("run", {"--overwrite"})).code == 2);
  // Reading is for everybody.
  CHECK(run_weft(folder, {"eval", "run"}).code == 0);
  first.send(SIGTERM);
  CHECK(first.wait().code == 143);
}

TEST_CASE("a full disk: the run ends with the reason, and goes on when there is room") {
  const Text folder;
  REQUIRE(run_weft(folder, train("whole")).code == 0);
  const auto size = static_cast<long>(folder.read("whole/best.h5").size());
  const Result full = run_weft(folder, train("run"), {.file_limit = size / 2});
  CHECK(full.code == 1);
  CHECK_MESSAGE(contains(full.err, "bytes are needed"), full.err);
  CHECK(!exists(folder, "run/best.h5"));
  REQUIRE(run_weft(folder, resume("run")).code == 0);
  CHECK(outcome_of(folder, "run") == outcome_of(folder, "whole"));
  CHECK(each_step_once(folder, "run", 20));
}

TEST_CASE("what a killed process left half-written is removed") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run", {"max_iters=10"})).code == 0);
  folder.write("run/checkpoints/step-00000015.h5.weft-partial", "half");
  folder.write("run/metrics.jsonl", folder.read("run/metrics.jsonl") + "{\"step\":3,\"lo");
  const Result result = run_weft(folder, resume("run", {"max_iters=12"}));
  REQUIRE(result.code == 0);
  CHECK(!exists(folder, "run/checkpoints/step-00000015.h5.weft-partial"));
  CHECK(contains(result.err, "1 unreadable lines removed"));
  CHECK(each_step_once(folder, "run", 12));
}

TEST_CASE("a run that began from other weights and was killed at once") {
  const Text folder;
  REQUIRE(run_weft(folder, train("old")).code == 0);
  REQUIRE(run_weft(folder, train("whole", {"--init-from", "old"})).code == 0);
  std::filesystem::create_directory(folder.path("run"));
  folder.write("run/config.toml", folder.read("whole/config.toml"));
  REQUIRE(run_weft(folder, resume("run")).code == 0);
  CHECK(outcome_of(folder, "run") == outcome_of(folder, "whole"));
}

TEST_CASE(
    "a run that goes on behind the end of its schedule is told so, and what goes on with one of its own") {
  const Text folder;
  for (const char* schedule : {"schedule=linear", "schedule=cosine", "schedule=warmup_stable_decay"}) {
    CAPTURE(schedule);
    const Result done = run_weft(folder, train("run", {schedule, "min_lr=0"}));
    REQUIRE(done.code == 0);
    // What a finished run advises is not what would train at rate 0.
    CHECK(contains(done.err, "weft train --continue run --set max_iters=20"));
    const Result longer_one = run_weft(folder, resume("run", {"max_iters=30"}));
    REQUIRE(longer_one.code == 0);
    CHECK_MESSAGE(contains(longer_one.err,
                           "the schedule ends at update 20 (lr_decay_iters), behind which the rate is 0; "
                           "weft train --continue run --set max_iters=10 "),
                  longer_one.err);
    REQUIRE(run_weft(folder, {"train", "--continue", "run", "--out", "more", "--set", "max_iters=10"}).code ==
            0);
    const std::string first = lines_of(folder.read("more/metrics.jsonl")).at(1);
    CHECK_MESSAGE(number_in(first, "lr") > 0.001, first);
    for (const char* name : {"run", "more"}) std::filesystem::remove_all(folder.path(name));
  }
  REQUIRE(run_weft(folder, train("run", {"schedule=constant", "min_lr=0.5"})).code == 0);
  const Result constant = run_weft(folder, resume("run", {"max_iters=30"}));
  CHECK_FALSE(contains(constant.err, "schedule"));
  CHECK_FALSE(contains(constant.err, "warning"));  // a constant rate has no min_lr to rise to
  REQUIRE(run_weft(folder, train("slow", {"warmup_iters=100", "max_iters=5"})).code == 0);
  CHECK(contains(run_weft(folder, resume("slow", {"max_iters=30"})).err,
                 "warning: warmup_iters 100 is not below max_iters 30"));
}

TEST_CASE("checkpoints under each other's names, and a log that was damaged, are told") {
  const Text folder;
  REQUIRE(run_weft(folder, train("whole", {"max_iters=30"})).code == 0);
  REQUIRE(run_weft(folder, train("run", {"max_iters=23", "lr_decay_iters=30"})).code == 0);
  const std::string one = "run/checkpoints/step-00000015.h5", other = "run/checkpoints/step-00000020.h5";
  const std::string fifteen = folder.read(one), twenty = folder.read(other);
  std::filesystem::remove(folder.path("run/checkpoints/step-00000023.h5"));
  std::filesystem::remove(folder.path("run/best.h5"));
  folder.write(one, twenty);
  folder.write(other, fifteen);
  Result result = run_weft(folder, resume("run", {"max_iters=30"}));
  CHECK(result.code == 2);  // neither of the two is what it says: nothing begins again over them
  CHECK_MESSAGE(contains(result.err, "holds step 15, not the step that its name says"), result.err);
  folder.write(one, fifteen);
  folder.write(other, twenty);
  std::string log = folder.read("run/metrics.jsonl");
  log[log.find("\"loss\":") + 9] ^= 1;
  folder.write("run/metrics.jsonl", log);
  result = run_weft(folder, resume("run", {"max_iters=30"}));
  REQUIRE(result.code == 0);
  CHECK_MESSAGE(contains(result.err, "metrics.jsonl: is not as the run wrote it"), result.err);
  CHECK(outcome_of(folder, "run").last == outcome_of(folder, "whole").last);
  CHECK_FALSE(contains(run_weft(folder, resume("run", {"max_iters=31"})).err, "is not as the run wrote it"));
}

TEST_CASE(
    "best.h5 of another run or step is not taken for the run's own, and no other is written over it unsaid") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run", {"max_iters=20", "lr_decay_iters=30"})).code == 0);
  REQUIRE(run_weft(folder, train("other", {"max_iters=20", "lr_decay_iters=30", "seed=7"})).code == 0);
  REQUIRE(run_weft(folder, train("whole", {"max_iters=30"})).code == 0);
  folder.write("run/best.h5", folder.read("other/best.h5"));
  Result result = run_weft(folder, resume("run", {"max_iters=30"}));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK_MESSAGE(contains(result.err, "run/best.h5: is of another run: its validation loss at step 0 is "),
                result.err);
  CHECK(folder.read("run/before-1/best.h5") == folder.read("other/best.h5"));
  CHECK(outcome_of(folder, "run") == outcome_of(folder, "whole"));
  // One that made no evaluation at the same step, or had the same result there.
  REQUIRE(run_weft(folder, train("alike", {"max_iters=7", "lr_decay_iters=30", "learning_rate=0.02",
                                           "eval_interval=7"}))
              .code == 0);
  folder.write("run/best.h5", folder.read("alike/best.h5"));
  result = run_weft(folder, resume("run", {"max_iters=40"}));
  CHECK(result.code == 2);
  CHECK_MESSAGE(contains(result.err, "run/best.h5: is of another run: "), result.err);
  CHECK(contains(result.err, "learning_rate"));
  // Where it is all there is.
  std::filesystem::remove_all(folder.path("run/checkpoints"));
  folder.write("run/best.h5", folder.read("other/best.h5"));
  result = run_weft(folder, resume("run", {"max_iters=40"}));
  CHECK(result.code == 2);
  CHECK_MESSAGE(contains(result.err, "seed"), result.err);
  // A step whose validation loss was not the best.
  const Names bad{"max_iters=18", "learning_rate=1", "min_lr=1", "keep_checkpoints=0"};
  REQUIRE(run_weft(folder, train("steps", bad)).code == 0);
  const std::string right = folder.read("steps/best.h5"),
                    last = folder.read("steps/checkpoints/step-00000018.h5");
  REQUIRE(right != last);
  folder.write("steps/best.h5", last);
  result = run_weft(folder, resume("steps", {"max_iters=19"}));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK_MESSAGE(contains(result.err, "steps/best.h5: holds step 18, but the best until then was step "),
                result.err);
  CHECK(folder.read("steps/before-1/best.h5") == last);
  // One that cannot be read is kept, and the right one comes back.
  folder.write("steps/best.h5", right.substr(0, right.size() - 100));
  result = run_weft(folder, resume("steps", {"max_iters=20"}));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(folder.read("steps/before-2/best.h5") == right.substr(0, right.size() - 100));
}

TEST_CASE("a run that overwrites the one it begins from: until something of it is saved, that one stays") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run")).code == 0);
  const ResumeOutcome before = outcome_of(folder, "run");
  const auto size = static_cast<long>(before.best.size());
  for (const char* from : {"--continue", "--init-from"}) {
    Arguments again = train("run", {"--overwrite", "max_iters=10"});
    again.insert(again.end(), {from, "run"});
    CHECK(run_weft(folder, again, {.file_limit = size / 2}).code != 0);
    CHECK(outcome_of(folder, "run") == before);
    CHECK_FALSE(exists(folder, "run.weft-new"));
  }
  Arguments again = train("run", {"--overwrite", "max_iters=10"});
  again.insert(again.end(), {"--init-from", "run"});
  REQUIRE(run_weft(folder, again).code == 0);
  CHECK(listed(folder, "run/checkpoints").back() == "step-00000010.h5");
  CHECK_FALSE(exists(folder, "run.weft-new"));
}

TEST_CASE("--start-over moves nothing aside before the run is known to begin") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run")).code == 0);
  for (const std::string& name : listed(folder, "run/checkpoints"))
    folder.write("run/checkpoints/" + name, "damaged");
  folder.write("run/best.h5", "damaged");
  std::filesystem::rename(folder.path("text.txt"), folder.path("moved.txt"));
  CHECK(run_weft(folder, resume("run", {"--start-over"})).code == 2);
  CHECK(folder.read("run/best.h5") == "damaged");
  CHECK_FALSE(exists(folder, "run/before-1"));
  std::filesystem::rename(folder.path("moved.txt"), folder.path("text.txt"));
  CHECK(run_weft(folder, resume("run", {"--start-over"})).code == 0);
  CHECK(folder.read("run/before-1/best.h5") == "damaged");
  CHECK(folder.read("run/before-1/checkpoints/step-00000020.h5") == "damaged");
  CHECK(exists(folder, "run/before-1/metrics.jsonl"));
}

TEST_CASE("results of commands are not written over checkpoints, nor over files of a run") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run")).code == 0);
  const std::string best = folder.read("run/best.h5"), config = folder.read("run/config.toml");
  for (const char* file :
       {"run/best.h5", "run/checkpoints/step-00000020.h5", "run/config.toml", "run/metrics.jsonl"}) {
    CAPTURE(file);
    for (const Arguments& command : {Arguments{"logits", "run", "--ids", "1", "--out", file},
                                     Arguments{"attention", "run", "--text", "the", "--out", file},
                                     Arguments{"stories", "--bytes", "100", "--seed", "1", "--out", file}}) {
      const Result result = run_weft(folder, command);
      CHECK(result.code == 2);
      CHECK_MESSAGE(contains(result.err, "is not written over; choose another file"), result.err);
    }
  }
  CHECK(folder.read("run/best.h5") == best);
  CHECK(folder.read("run/config.toml") == config);
  folder.write("mine.npy", "old");
  CHECK(run_weft(folder, {"logits", "run", "--ids", "1", "--out", "mine.npy"}).code == 0);
}
