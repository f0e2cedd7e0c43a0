// What a run writes for those who look at it: the table of the log, samples, statistics. Stopped anywhere, killed or not,
// and resumed, they are what a run that was never stopped has, apart from what a clock says.
#include "records.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <random>
#include <thread>

#include "program.h"

namespace {

/// A run that shows all there is.
Names all_of_it(const Names& more = {}) {
  Names settings{"max_iters=24",          "lr_decay_iters=24",  "eval_interval=4",
                 "checkpoint_interval=6", "sample_tokens=5",    "stats_interval=3",
                 "log_interval=2",        "keep_checkpoints=0", "tensorboard=true"};
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

void check_table_is_log(const Folder& folder, const std::string& run) {
  const Names rows = lines_of(folder.read(run + "/metrics.csv")),
              lines = lines_of(folder.read(run + "/metrics.jsonl"));
  REQUIRE(rows.size() == lines.size() + 1);
  const Names header = cells_of(rows[0]);
  for (size_t i = 0; i < lines.size(); ++i) {
    const Names cells = cells_of(rows[i + 1]);
    REQUIRE(cells.size() == header.size());
    for (size_t column = 0; column < header.size(); ++column) {
      const bool there = contains(lines[i], "\"" + header[column] + "\":");
      CHECK(there == !cells[column].empty());
      if (there) CHECK(std::stod(cells[column]) == number_in(lines[i], header[column]));
    }
  }
}

}  // namespace

TEST_CASE("a run's table says what its log says, and each update its tokens and the memory") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run", all_of_it())).code == 0);
  check_table_is_log(folder, "run");
  int64_t updates = 0;
  for (const std::string& line : lines_of(folder.read("run/metrics.jsonl"))) {
    if (contains(line, "val_loss")) continue;
    const double step = number_in(line, "step");
    CHECK(number_in(line, "tokens") == (step + 1) * 4 * 8);  // batch_size, block_size
    CHECK(number_in(line, "memory_bytes") > 4e6);
    CHECK(number_in(line, "memory_bytes") < 1e9);
    ++updates;
  }
  CHECK(updates == 12);
}

TEST_CASE("what an evaluation shows is kept, and what is watched") {
  const Text folder;
  const Result result = run_weft(folder, train("run", all_of_it()));
  REQUIRE(result.code == 0);
  const Names samples = lines_of(folder.read("run/samples.jsonl"));
  REQUIRE(samples.size() == 7);
  for (size_t i = 0; i < samples.size(); ++i) {
    CHECK(number_in(samples[i], "step") == 4.0 * static_cast<double>(i));
    const std::string text = text_in(samples[i]);
    CHECK_FALSE(text.empty());
    CHECK_MESSAGE(contains(result.err, "---\n" + text + "\n---\n"), text);
  }
  const Names statistics = lines_of(folder.read("run/statistics.jsonl"));
  REQUIRE(statistics.size() == 8);
  for (size_t i = 0; i < statistics.size(); ++i) {
    CHECK(number_in(statistics[i], "step") == 3.0 * static_cast<double>(i));
    for (const char* part :
         {"\"weights\":{\"token_embedding.weight\":{\"mean\":", "\"gradients\":{\"token_embedding.weight\":{",
          "\"updates\":{\"token_embedding.weight\":{\"ratio\":", "\"activations\":{\"token_embedding\":{"})
      CHECK_MESSAGE(contains(statistics[i], part), part);
  }
  // The norm of the gradient is that of the log: of all parameters together.
  double squares = 0;
  const std::string& third = statistics[2];  // of step 6
  const size_t begin = third.find("\"gradients\""), end = third.find("\"updates\"");
  for (size_t at = third.find("\"norm\":", begin); at < end; at = third.find("\"norm\":", at + 1)) {
    const double norm = std::stod(third.substr(at + 7));
    squares += norm * norm;
  }
  for (const std::string& line : lines_of(folder.read("run/metrics.jsonl")))
    if (number_in(line, "step") == 6 && contains(line, "grad_norm"))
      CHECK(std::sqrt(squares) == doctest::Approx(number_in(line, "grad_norm")).epsilon(1e-9));
}

TEST_CASE("nothing is shown that was not asked for, and looking changes no bit") {
  const Text folder;
  const Names few{"sample_tokens=0"};
  REQUIRE(run_weft(folder, train("plain", few)).code == 0);
  CHECK_FALSE(exists(folder, "plain/samples.jsonl"));
  CHECK_FALSE(exists(folder, "plain/statistics.jsonl"));
  for (const char* more : {"recompute=false", "recompute=true"}) {
    REQUIRE(run_weft(folder, train(more, {"sample_tokens=0", "stats_interval=1", more})).code == 0);
    CHECK(last_saved(folder, more) == last_saved(folder, "plain"));
    CHECK(lines_of(folder.read(std::string(more) + "/statistics.jsonl")).size() == 20);
  }
  CHECK(folder.read("recompute=false/statistics.jsonl") == folder.read("recompute=true/statistics.jsonl"));
}

TEST_CASE("any number of threads and instruction set writes the same statistics") {
  const Text folder;
  const Names settings = all_of_it({"max_iters=4"});
  REQUIRE(run_weft(folder, train("one", settings)).code == 0);
  for (const std::string set : {"avx512", "avx2", "scalar"}) {
    Arguments arguments = train(set, settings);
    *(std::find(arguments.begin(), arguments.end(), "--threads") + 1) = "3";
    const Result result = run_weft(folder, arguments, {.environment = {"WEFT_ISA=" + set}});
    if (result.code == 2 && contains(result.err, "this processor lacks")) continue;
    REQUIRE_MESSAGE(result.code == 0, result.err);
    CHECK(records_of(folder, set) == records_of(folder, "one"));
  }
}

TEST_CASE("every k: k updates, then the rest, have shown what a run has that was never stopped") {
  const Text folder;
  const Names settings = all_of_it({"eval_interval=1", "max_iters=14", "lr_decay_iters=14"});
  REQUIRE(run_weft(folder, train("whole", settings)).code == 0);
  const Records whole = records_of(folder, "whole");
  for (int k = 0; k <= 14; ++k) {
    CAPTURE(k);
    const std::string run = "k" + std::to_string(k);
    Names first = settings;
    first.push_back("max_iters=" + std::to_string(k));
    REQUIRE(run_weft(folder, train(run, first)).code == 0);
    const Result result = run_weft(folder, resume(run, {"max_iters=14"}));
    REQUIRE_MESSAGE(result.code == 0, result.err);
    CHECK(records_of(folder, run) == whole);
    check_table_is_log(folder, run);
  }
}

TEST_CASE("kill -9 at any instant: what is shown is as if nothing had been") {
  const Text folder;
  const Names settings = all_of_it({"max_iters=200", "lr_decay_iters=200"});
  REQUIRE(run_weft(folder, train("whole", settings)).code == 0);
  const Records whole = records_of(folder, "whole");
  std::mt19937 random(5);
  for (int round = 0; round < 5; ++round) {
    const std::string run = "run" + std::to_string(round);
    Arguments next = train(run, settings);
    int kills = 0;
    for (; kills < 6; ++kills) {
      Program program(folder, next);
      std::this_thread::sleep_for(std::chrono::milliseconds(5 + random() % 150));
      program.send(SIGKILL);
      const Result result = program.wait();
      if (result.code == 0) break;
      REQUIRE_MESSAGE(result.code == 128 + SIGKILL, result.err);
      next = exists(folder, run + "/config.toml") ? resume(run) : train(run, settings);
    }
    if (kills == 6) REQUIRE(run_weft(folder, next).code == 0);
    CHECK_MESSAGE(records_of(folder, run) == whole, "after ", kills, " kills");
    CHECK(last_saved(folder, run) == last_saved(folder, "whole"));
  }
}

TEST_CASE("a stop while a sample is written: it is written whole by the resume") {
  const Text folder;
  const Names settings{"max_iters=8", "lr_decay_iters=8", "eval_interval=4", "sample_tokens=40000"};
  REQUIRE(run_weft(folder, train("whole", settings)).code == 0);
  Program program(folder, train("run", settings));
  REQUIRE(wait_until([&] { return exists(folder, "run/loss.svg"); }));  // the sample of step 0 is under way
  program.send(SIGTERM);
  const Result stopped = program.wait();
  REQUIRE_MESSAGE(stopped.code == 143, stopped.err);
  CHECK_FALSE(exists(folder, "run/samples.jsonl"));
  const Result result = run_weft(folder, resume("run"));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(folder.read("run/samples.jsonl") == folder.read("whole/samples.jsonl"));
}

TEST_CASE("a run of before goes on: its files appear from then on") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run", all_of_it({"max_iters=12"}))).code == 0);
  // As an older weft left it.
  for (const char* name : {"metrics.csv", "samples.jsonl", "statistics.jsonl"})
    std::filesystem::remove(folder.path(std::string("run/") + name));
  std::string log;
  for (std::string line : lines_of(folder.read("run/metrics.jsonl"))) {
    for (const char* key : {",\"tokens\":", ",\"memory_bytes\":"})
      if (const size_t at = line.find(key); at != std::string::npos)
        line.erase(at, line.find_first_of(",}", at + 1) - at);
    log += line + "\n";
  }
  folder.write("run/metrics.jsonl", log);
  std::filesystem::remove(folder.path("run/metrics.digest"));
  const Result result = run_weft(folder, resume("run", {"max_iters=24"}));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK_FALSE(contains(result.err, "unreadable"));
  check_table_is_log(folder, "run");
  CHECK(number_in(lines_of(folder.read("run/samples.jsonl")).front(), "step") == 12);  // which had none
  CHECK(number_in(lines_of(folder.read("run/statistics.jsonl")).front(), "step") == 12);
}

TEST_CASE("statistics begin and end as a resume says, and another run replaces them all") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run", all_of_it({"max_iters=12", "stats_interval=0"}))).code == 0);
  CHECK_FALSE(exists(folder, "run/statistics.jsonl"));
  REQUIRE(run_weft(folder, resume("run", {"max_iters=18", "stats_interval=1"})).code == 0);
  CHECK(lines_of(folder.read("run/statistics.jsonl")).size() == 6);
  REQUIRE(run_weft(folder, resume("run", {"max_iters=24", "stats_interval=0"})).code == 0);
  CHECK(lines_of(folder.read("run/statistics.jsonl")).size() == 6);
  CHECK(contains(folder.read("run/config.toml"), "\nstats_interval = 0 "));

  folder.write("run/notes.txt", "mine");
  Arguments over = train("run", {"max_iters=4", "sample_tokens=0"});
  over.emplace_back("--overwrite");
  REQUIRE(run_weft(folder, over).code == 0);
  CHECK(listed(folder, "run") == Names{".lock", "best.h5", "cache", "checkpoints", "config.toml", "loss.svg",
                                       "metrics.csv", "metrics.digest", "metrics.jsonl", "notes.txt"});
  CHECK(lines_of(folder.read("run/metrics.csv")).size() == 7);
  refused_with(folder, {"logits", "run", "--ids", "1,2", "--out", "run/metrics.csv"},
               {"is a file of the run"});
}
