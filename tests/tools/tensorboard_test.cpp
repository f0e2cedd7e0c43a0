// What a run tells TensorBoard, by a reader of its own: tests/reference/tensorboard_files.py reads it with the real one.
#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include "event_reader.h"
#include "program.h"
#include "records.h"

using namespace event_reader;

namespace {

Names shown_events(const Names& more = {}) {
  Names settings{"max_iters=12",    "lr_decay_iters=12", "eval_interval=4", "checkpoint_interval=3",
                 "sample_tokens=5", "stats_interval=3",  "log_interval=2",  "tensorboard=true"};
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

Names event_files(const Folder& folder, const std::string& run) {
  Names found;
  for (const std::string& name : listed(folder, run))
    if (contains(name, "tfevents")) found.push_back(name);
  return found;
}

std::vector<ReadEvent> events_of(const Folder& folder, const std::string& run) {
  const Names files = event_files(folder, run);
  REQUIRE(!files.empty());
  CHECK(files.size() <= 2);
  for (const std::string& file : files) CHECK(file.starts_with("events.out.tfevents."));
  // Of before, so that a TensorBoard which has read it finds it still.
  if (files.size() == 2) CHECK(folder.read(run + "/" + files[0]).empty());
  return read_events(folder.read(run + "/" + files.back()));
}

const std::map<std::string, std::string> curves = {{"loss/train", "loss"},
                                                   {"learning_rate", "lr"},
                                                   {"gradient_norm", "grad_norm"},
                                                   {"tokens_per_second", "tokens_per_second"},
                                                   {"memory_bytes", "memory_bytes"},
                                                   {"tokens", "tokens"},
                                                   {"loss/validation", "val_loss"},
                                                   {"loss/train_evaluated", "train_loss"},
                                                   {"bits_per_byte/validation", "val_bits_per_byte"}};

/// That the file says what the run's other files say, each step of each tag once and in order.
void check_says_the_same(const Folder& folder, const std::string& run) {
  const std::vector<ReadEvent> events = events_of(folder, run);
  REQUIRE(!events.empty());
  CHECK(events[0].version == "brain.Event:2");
  CHECK(events[1].restarts);
  for (size_t i = 1; i < events.size(); ++i) {
    CHECK(events[i].wall_time >= events[i - 1].wall_time);
    CHECK(events[i].version.empty());
  }
  auto tags = by_tag(events);
  for (const auto& [tag, points] : tags)
    for (size_t i = 1; i < points.size(); ++i) CHECK_MESSAGE(points[i].first > points[i - 1].first, tag);

  const Names lines = lines_of(folder.read(run + "/metrics.jsonl"));
  for (const auto& [tag, key] : curves) {
    CAPTURE(tag);
    std::vector<std::pair<int64_t, float>> wanted, found;
    for (const std::string& line : lines)
      if (contains(line, "\"" + key + "\":"))
        wanted.emplace_back(static_cast<int64_t>(number_in(line, "step")),
                            static_cast<float>(number_in(line, key)));
    for (const auto& [step, value] : tags[tag]) found.emplace_back(step, value.number.value());
    CHECK(!wanted.empty());
    CHECK(found == wanted);
  }

  const Names samples = lines_of(folder.read(run + "/samples.jsonl"));
  REQUIRE(tags["sample"].size() == samples.size());
  for (size_t i = 0; i < samples.size(); ++i) {
    const auto& [step, value] = tags["sample"][i];
    CHECK(static_cast<double>(step) == number_in(samples[i], "step"));
    CHECK(value.plugin == "text");
    std::string text = value.text;
    for (size_t at = text.find("\n    "); at != std::string::npos; at = text.find("\n    ", at + 1))
      text.erase(at + 1, 4);
    CHECK(text == "    " + text_in(samples[i]));
  }

  const Names statistics = lines_of(folder.read(run + "/statistics.jsonl"));
  for (const std::string kind : {"weights", "gradients"}) {
    const auto& found = tags[kind + "/blocks.0.attention.query.weight"];
    REQUIRE(found.size() == statistics.size());
    for (size_t i = 0; i < found.size(); ++i) {
      const ReadHistogram& h = found[i].second.histogram.value();
      const std::string told = statistics[i].substr(statistics[i].find("\"" + kind + "\""));
      const std::string of_this = told.substr(told.find("\"blocks.0.attention.query.weight\""));
      CHECK(static_cast<double>(found[i].first) == number_in(statistics[i], "step"));
      CHECK(h.min == number_in(of_this, "min"));
      CHECK(h.max == number_in(of_this, "max"));
      CHECK(h.sum_squares == doctest::Approx(number_in(of_this, "norm") * number_in(of_this, "norm")));
      CHECK(h.num == 256);
      CHECK(h.sum == doctest::Approx(256 * number_in(of_this, "mean")));
      CHECK(h.limits.size() == 64);
      CHECK(h.limits.back() == h.max);
      CHECK(std::ranges::is_sorted(h.limits));
      double all = 0;
      for (const double count : h.counts) all += count;
      CHECK(all == 256);
    }
  }
  CHECK(tags["statistics/update_ratio/token_embedding.weight"].size() == statistics.size());
  CHECK(tags["statistics/activation_std/blocks.0"].size() == statistics.size());
  CHECK(tags["statistics/activation_zero/blocks.0"].size() == statistics.size());
  const auto settings = tags["_hparams_/session_start_info"];
  REQUIRE(settings.size() == 1);
  CHECK(settings[0].second.plugin == "hparams");
  const auto values = read_settings(settings[0].second);
  CHECK(values.at("model") == "gpt2");
  CHECK(values.at("n_embd") == "16.000000");
  CHECK(values.at("tensorboard") == "true");
  CHECK(values.at("recompute") == "false");
}

}  // namespace

TEST_CASE("the file for TensorBoard says what the run's other files say") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run", shown_events())).code == 0);
  check_says_the_same(folder, "run");
  REQUIRE(run_weft(folder, train("plain", {"sample_tokens=0"})).code == 0);
  CHECK(event_files(folder, "plain").empty());
  // It is one of the run's own.
  const std::string own = "run/" + event_files(folder, "run")[0];
  refused_with(folder, {"logits", "run", "--ids", "1,2", "--out", own}, {"is a file of the run"});
  Arguments over = train("run", {"max_iters=4"});
  over.emplace_back("--overwrite");
  REQUIRE(run_weft(folder, over).code == 0);
  CHECK(event_files(folder, "run").empty());
}

TEST_CASE("the file for TensorBoard of a run that goes on has no step twice") {
  const Text folder;
  for (int k = 0; k <= 12; k += 2) {
    CAPTURE(k);
    const std::string run = "k" + std::to_string(k);
    REQUIRE(run_weft(folder, train(run, shown_events({"max_iters=" + std::to_string(k)}))).code == 0);
    const Names before = event_files(folder, run);
    const Result result = run_weft(folder, resume(run, {"max_iters=14"}));
    REQUIRE_MESSAGE(result.code == 0, result.err);
    check_says_the_same(folder, run);
    CHECK(event_files(folder, run) == Names{before[0], event_files(folder, run)[1]});
  }
}

TEST_CASE("kill -9 at any instant: the file for TensorBoard is whole once the run has gone on") {
  const Text folder;
  std::mt19937 random(3);
  for (int round = 0; round < 4; ++round) {
    const std::string run = "run" + std::to_string(round);
    const Names settings = shown_events({"max_iters=150"});
    Arguments next = train(run, settings);
    for (int kills = 0; kills < 5; ++kills) {
      Program program(folder, next);
      std::this_thread::sleep_for(std::chrono::milliseconds(5 + random() % 150));
      program.send(SIGKILL);
      if (program.wait().code == 0) break;
      next = exists(folder, run + "/config.toml") ? resume(run) : train(run, settings);
    }
    const Result result = run_weft(folder, next);
    REQUIRE_MESSAGE(result.code == 0, result.err);
    check_says_the_same(folder, run);
  }
}

TEST_CASE(
    "a run that is told late to write for TensorBoard has all of it, and what is damaged does not matter") {
  const Text folder;
  REQUIRE(run_weft(folder, train("run", shown_events({"tensorboard=false", "max_iters=9"}))).code == 0);
  CHECK(event_files(folder, "run").empty());
  REQUIRE(run_weft(folder, resume("run", {"max_iters=10", "tensorboard=true"})).code == 0);
  check_says_the_same(folder, "run");
  // Cut within a record, and a second one that a killed resume left.
  const std::string file = "run/" + event_files(folder, "run")[0], bytes = folder.read(file);
  folder.write(file, bytes.substr(0, bytes.size() - 7));
  folder.write("run/events.out.tfevents.4000000000.weft", bytes.substr(0, 100));
  folder.write("run/events.out.tfevents.123.other", "of another program");
  REQUIRE(run_weft(folder, resume("run", {"max_iters=12"})).code == 0);
  CHECK(folder.read("run/events.out.tfevents.123.other") == "of another program");
  std::filesystem::remove(folder.path("run/events.out.tfevents.123.other"));
  CHECK(event_files(folder, "run") ==
        Names{"events.out.tfevents.4000000000.weft", "events.out.tfevents.4000000001.weft"});
  check_says_the_same(folder, "run");
}

TEST_CASE(
    "a full disk ends a run that writes for TensorBoard as it ends any, and it goes on when there is room") {
  const Text folder;
  REQUIRE(run_weft(folder, train("whole", shown_events())).code == 0);
  const Result full = run_weft(folder, train("run", shown_events()), {.file_limit = 15'000});
  CHECK(full.code == 1);
  CHECK_MESSAGE(contains(full.err, "run/"), full.err);
  REQUIRE(run_weft(folder, resume("run")).code == 0);
  CHECK(records_of(folder, "run") == records_of(folder, "whole"));
  check_says_the_same(folder, "run");
}
