// The board over folders of runs, as they are and as they change.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/tools/board/board.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "checks.h"
#include "folder.h"

namespace weft::tools {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::refuses;

constexpr const char* config = R"(
model = "gpt2"
task = "text"
batch_size = 2
gradient_accumulation_steps = 3
block_size = 8
max_iters = 100
patience = 0
data = ["/home/somebody/secret/text.txt", "../near.txt"]
)";

std::string update(int64_t step, double loss = 2) {
  return json{{"step", step},
              {"loss", loss},
              {"lr", 0.1},
              {"grad_norm", 1},
              {"tokens_per_second", 100},
              {"seconds", static_cast<double>(step) * 0.5}}
             .dump() +
         "\n";
}
std::string evaluation(int64_t step, double loss = 2) {
  return json{{"step", step}, {"train_loss", loss - 0.1}, {"val_loss", loss}}.dump() + "\n";
}

void append(const Folder& folder, const std::string& file, const std::string& text) {
  std::ofstream(folder.path(file), std::ios::binary | std::ios::app) << text;
}

/// A run of `count` updates.
void make_run(const Folder& folder, const std::string& name, int64_t count = 3) {
  std::string log = evaluation(0, 4);
  for (int64_t i = 0; i < count; ++i) log += update(i);
  folder.with(name + "/config.toml", config).with(name + "/metrics.jsonl", log).with(name + "/.lock", "");
}

json runs_of(Board& board, uint64_t since = 0, const std::string& of = "") {
  board.read();
  return json::parse(board.runs_json(of, since));
}
json first_run(Board& board) { return runs_of(board)["runs"].at(0); }
json curve(const Board& board, const std::string& name = "updates", size_t run = 0) {
  return json::parse(board.curve_json(run, {.curve = name}));
}

/// Names of all files with their bytes and times.
std::string state_of(const Folder& folder) {
  std::string all;
  for (const auto& entry : fs::recursive_directory_iterator(folder.name()))
    all += str(entry.path().string(), " ",
               entry.is_regular_file() ? folder.read(fs::relative(entry.path(), folder.name()).string()) : "",
               " ", static_cast<int64_t>(entry.last_write_time().time_since_epoch().count()), "\n");
  return all;
}

}  // namespace

TEST_CASE("board: a run is told with its numbers, and nothing is written into it") {
  const Folder folder;
  make_run(folder, "runs/a");
  folder
      .with("runs/a/samples.jsonl", R"({"step":0,"text":"x<y \u00e9"})"
                                    "\n"
                                    R"({"step":2,"text":"z"})"
                                    "\n")
      .with("runs/a/statistics.jsonl",
            R"({"step":0,"weights":{},"gradients":{},"updates":{"w":{"ratio":1}},"activations":{}})"
            "\n");
  const std::string before = state_of(folder);
  Board board({folder.path("runs/a")});
  const json run = first_run(board);
  CHECK(run["id"] == 0);
  CHECK(run["name"] == folder.path("runs/a"));
  CHECK(run["state"] == "stopped");
  CHECK(run["step"] == 3);
  CHECK(run["of"] == 100);
  CHECK(run["last"]["loss"] == 2);
  CHECK(run["last"]["step"] == 2);
  CHECK(run["best"] == json{{"step", 0}, {"val_loss", 4}});
  CHECK(run["unit"] == "tokens");
  CHECK(run["tokens"] == 3 * 48);
  CHECK(run["seconds"] == 1);
  CHECK(run["left"].is_null());
  CHECK(run["read"] == true);
  CHECK(run["samples"] == json({0, 2}));
  CHECK(run["statistics"]["parts"] == json::parse(R"([["updates",["ratio"]]])"));
  CHECK(run["notes"].empty());
  CHECK(run["alerts"].empty());
  CHECK(curve(board)["loss"] == json({2, 2, 2}));
  CHECK(curve(board)["tokens"] == json({48, 96, 144}));
  CHECK(curve(board, "evaluations")["val_loss"] == json({4}));
  CHECK(json::parse(board.sample_json(0, 0)) == json{{"step", 0}, {"text", "x<y \u00e9"}});
  CHECK(json::parse(board.statistics_json(0, "updates", "ratio"))["values"] == json({{1}}));
  CHECK(state_of(folder) == before);
}

TEST_CASE("board: folders of the machine are not told") {
  const Folder folder;
  make_run(folder, "a");
  Board board({folder.path("a")});
  const std::string all = board.runs_json("", 0);
  board.read();
  CHECK(board.runs_json("", 0).find("somebody") == std::string::npos);
  CHECK(board.whole_json().find("secret") == std::string::npos);
  bool found = false;
  const json run = first_run(board);
  for (const json& setting : run["config"]) {
    if (setting[0] != "data") continue;
    found = true;
    CHECK(setting[1] == "\u2026/text.txt, ../near.txt");
    CHECK(setting[2].get<std::string>().size() == 4);
  }
  CHECK(found);
}

TEST_CASE("board: only what is new is told") {
  const Folder folder;
  make_run(folder, "runs/a");
  make_run(folder, "runs/b");
  Board board({folder.path("runs")});
  const json all = runs_of(board);
  CHECK(all["runs"].size() == 2);
  const uint64_t version = all["version"];
  const std::string of = all["board"];
  CHECK(runs_of(board, version, of)["runs"].empty());
  CHECK(runs_of(board, version, "another")["runs"].size() == 2);
  append(folder, "runs/b/metrics.jsonl", update(3, 1.5) + R"({"step":4,"lo)");
  const json news = runs_of(board, version, of);
  REQUIRE(news["runs"].size() == 1);
  CHECK(news["runs"][0]["name"] == folder.path("runs/b"));
  CHECK(news["runs"][0]["last"]["loss"] == 1.5);

  Board::Wanted wanted{.generation = 0, .level = 0, .known_until = 2};
  CHECK(json::parse(board.curve_json(1, wanted))["first"] == 2);
  CHECK(json::parse(board.curve_json(1, wanted))["loss"] == json({2, 1.5}));
  wanted.generation = 1;
  CHECK(json::parse(board.curve_json(1, wanted))["loss"].size() == 4);
  wanted = {.generation = 0, .level = 3, .known_until = 2};
  CHECK(json::parse(board.curve_json(1, wanted))["loss"].size() == 4);
  wanted = {.generation = 0, .level = 0, .known_until = 1000};
  CHECK(json::parse(board.curve_json(1, wanted))["loss"].empty());
  wanted = {.is_part = true, .from = 2, .to = 2};
  CHECK(json::parse(board.curve_json(1, wanted))["loss"] == json({2, 2, 1.5}));
}

TEST_CASE("board: runs that begin, are cut, replaced, removed and come back") {
  const Folder folder;
  fs::create_directory(folder.path("runs"));
  Board board({folder.path("runs")});
  CHECK(runs_of(board)["runs"].empty());
  CHECK(runs_of(board)["empty"] == json({folder.path("runs")}));

  folder.with("runs/a/config.toml", config);
  CHECK(first_run(board)["state"] == "waiting");
  CHECK(runs_of(board)["empty"].empty());
  make_run(folder, "runs/a", 5);
  CHECK(first_run(board)["step"] == 5);
  const int64_t generation = first_run(board)["generation"];

  make_run(folder, "runs/other", 2);  // a resume that cuts the log writes it anew
  fs::rename(folder.path("runs/other/metrics.jsonl"), folder.path("runs/a/metrics.jsonl"));
  fs::remove_all(folder.path("runs/other"));
  CHECK(first_run(board)["step"] == 2);
  CHECK(first_run(board)["generation"] > generation);
  CHECK(curve(board)["loss"].size() == 2);

  fs::remove(folder.path("runs/a/metrics.jsonl"));
  CHECK(first_run(board)["state"] == "waiting");
  CHECK(curve(board)["loss"].empty());
  make_run(folder, "runs/a", 4);
  CHECK(first_run(board)["step"] == 4);

  fs::remove_all(folder.path("runs/a"));
  CHECK(first_run(board)["state"] == "gone");
  CHECK(first_run(board)["step"] == 4);
  CHECK(curve(board)["loss"].size() == 4);
  make_run(folder, "runs/a", 1);
  CHECK(first_run(board)["state"] == "stopped");
  CHECK(first_run(board)["step"] == 1);

  make_run(folder, "runs/b.weft-new");  // one that is being made
  make_run(folder, "runs/c");
  folder.with("runs/notes/readme.txt", "no run");
  std::vector<std::string> names;
  const json all = runs_of(board);
  for (const json& run : all["runs"]) names.push_back(run["name"]);
  CHECK(names == std::vector{folder.path("runs/a"), folder.path("runs/c")});
}

TEST_CASE("board: of what is new so much is read at a time") {
  const Folder folder;
  make_run(folder, "a", 1000);
  make_run(folder, "b", 1000);
  folder.with("a/samples.jsonl", json{{"step", 1}, {"text", "x"}}.dump() + "\n" +
                                     json{{"step", 2}, {"text", "x"}}.dump() + "\n");
  BoardRun first(folder.path("a")), second(folder.path("b"));
  uint64_t left = 10'000;
  CHECK(first.read(left));
  CHECK(left == 0);
  CHECK_FALSE(first.is_read());
  const size_t some = first.updates().size();
  CHECK(some > 50);
  CHECK(some < 200);
  CHECK(first.sample_steps().size() == 1);
  CHECK(second.read(left));
  CHECK(second.updates().size() + second.evaluations().size() == 1);
  uint64_t much = 1 << 20;
  CHECK(first.read(much));
  CHECK(first.is_read());
  CHECK(first.updates().size() == 1000);
  CHECK(much > (1 << 20) - fs::file_size(folder.path("a/metrics.jsonl")));
  CHECK(much < (1 << 20));
}

TEST_CASE("board: a run is training while somebody holds its lock") {
  const Folder folder;
  make_run(folder, "a");
  fs::last_write_time(folder.path("a/metrics.jsonl"),
                      fs::file_time_type::clock::now() - std::chrono::hours(1));
  Board board({folder.path("a")});
  CHECK(first_run(board)["state"] == "stopped");
  {
    const std::string path = folder.path("a/.lock");
    const Descriptor lock(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    REQUIRE(::flock(lock.get(), LOCK_EX | LOCK_NB) == 0);
    const json run = first_run(board);
    CHECK(run["state"] == "training");
    CHECK(run["left"] == 97 * 0.5);
  }
  CHECK(first_run(board)["state"] == "stopped");
  append(folder, "a/metrics.jsonl", update(99) + evaluation(100, 1.5));
  CHECK(first_run(board)["state"] == "finished");
}

TEST_CASE("board: where locks cannot be seen, a log that grows is one of a run that trains") {
  const Folder folder;
  make_run(folder, "a");
  Board board({folder.path("a")});
  first_run(board);
  for (int64_t i = 3; i < 6; ++i) {
    CHECK(first_run(board)["state"] == "stopped");
    append(folder, "a/metrics.jsonl", update(i));
  }
  CHECK(first_run(board)["state"] == "training");
  fs::last_write_time(folder.path("a/metrics.jsonl"),
                      fs::file_time_type::clock::now() - std::chrono::minutes(2));
  CHECK(first_run(board)["state"] == "stopped");
}

TEST_CASE("board: patience ends a run") {
  const Folder folder;
  make_run(folder, "a");
  std::string patient = config;
  patient.replace(patient.find("patience = 0"), 12, "patience = 2");
  folder.with("a/config.toml", patient);
  Board board({folder.path("a")});
  append(folder, "a/metrics.jsonl", evaluation(3, 2) + evaluation(4, 2.1));
  CHECK(first_run(board)["state"] == "stopped");
  append(folder, "a/metrics.jsonl", evaluation(5, 2.2));
  CHECK(first_run(board)["state"] == "finished");
}

TEST_CASE("board: what is damaged is told and passed over") {
  const Folder folder;
  make_run(folder, "a", 1);
  append(folder, "a/metrics.jsonl",
         "garbage\n\xff\xfe\n{}\n[1]\n{\"step\":\"x\"}\n" + update(0) + std::string(70'000, ' ') + "\n" +
             std::string(100'000, '[') + "\n" + std::string(60'000, '[') + "\n" + update(7, 1.25) +
             R"({"step":8,"loss":null,"lr":1e999})"
             "\n" +
             R"({"step":8,"loss":null})"
             "\n" +
             evaluation(8) + R"({"step":9,)");
  folder.with("a/samples.jsonl", "{\"step\":1}\n").with("a/statistics.jsonl", "nothing\n");
  Board board({folder.path("a")});
  const json run = first_run(board);
  CHECK(run["updates"] == 3);
  CHECK(curve(board)["loss"] == json({2, 1.25, nullptr}));
  CHECK(run["alerts"].at(0)["kind"] == "not_finite");
  REQUIRE(run["notes"].size() == 3);
  CHECK(run["notes"][0].get<std::string>().find(
            "metrics.jsonl: 10 lines are passed over (the first is line 3)") == 0);
  CHECK(run["notes"][0].get<std::string>().find("half written") != std::string::npos);
  CHECK(run["notes"][1].get<std::string>().find("samples.jsonl: 1 line is") == 0);
  CHECK(run["notes"][2].get<std::string>().find("statistics.jsonl") == 0);

  folder.with("a/config.toml", "model = ").with("b/config.toml", config);
  fs::create_directory(folder.path("b/metrics.jsonl"));
  Board others({folder.path("a"), folder.path("b")});
  const json broken = runs_of(others)["runs"];
  CHECK(broken[0]["notes"][0].get<std::string>().find("is not TOML") != std::string::npos);
  CHECK(broken[0]["of"].is_null());
  CHECK(broken[1]["notes"].size() == 1);
}

TEST_CASE("board: what is no run, no folder, or not there") {
  const Folder folder;
  folder.write("file", "x");
  refuses<FileError>([&] { Board({folder.path("none")}); }, {"none", "no such run or file"});
  refuses<FileError>([&] { Board({folder.path("file")}); }, {"file", "no folder"});
  make_run(folder, "runs/a");
  fs::create_directory_symlink(folder.path("runs/a"), folder.path("runs/link"));
  Board board({folder.path("runs/"), folder.path("runs/a"), folder.path("runs/../runs/a")});
  CHECK(runs_of(board)["runs"].size() == 1);
  CHECK(board.size() == 1);
  CHECK(board.empty_folders().empty());
  fs::create_directory(folder.path("empty"));
  Board named({folder.path("./runs/a"), folder.path("runs"), folder.path("runs/link"), folder.path("empty")});
  CHECK(runs_of(named)["runs"].size() == 1);
  CHECK(runs_of(named)["empty"] == json({folder.path("empty")}));
  refuses<ValueError>([&] { board.curve_json(1, {}); }, {"run 1", "there are 1"});
  refuses<ValueError>([&] { board.curve_json(0, {.curve = "../../etc/passwd"}); }, {"updates"});
  refuses<ValueError>([&] { board.sample_json(0, 0); }, {"sample 0"});
  CHECK(json::parse(board.statistics_json(0, "../x", "y"))["rows"].empty());
}

TEST_CASE("board: a sample whose file is being written anew is not mistaken for another") {
  const Folder folder;
  make_run(folder, "a");
  folder.with("a/samples.jsonl", R"({"step":1,"text":"one"})"
                                 "\n");
  Board board({folder.path("a")});
  board.read();
  folder.with("a/samples.jsonl", R"({"step":2,"text":"two"})"
                                 "\n");
  refuses<FileError>([&] { board.sample_json(0, 0); }, {"samples.jsonl"});
  folder.with("a/samples.jsonl", "");
  refuses<FileError>([&] { board.sample_json(0, 0); }, {"samples.jsonl"});
}

TEST_CASE("board: a file has all of it, of long runs in few buckets, and the same each time") {
  const Folder folder;
  std::string log, samples;
  for (int64_t i = 0; i < 50'000; ++i) log += update(i, i == 33'333 ? 77 : 2);
  for (int64_t i = 0; i < 250; ++i) samples += json{{"step", i}, {"text", std::to_string(i)}}.dump() + "\n";
  folder.with("a/config.toml", config).with("a/metrics.jsonl", log).with("a/samples.jsonl", samples);
  make_run(folder, "b");
  Board board({folder.path("a"), folder.path("b")});
  board.read_all();
  const std::string text = board.whole_json();
  CHECK(text.size() < 600'000);
  const json all = json::parse(text);
  CHECK(all["runs"]["runs"].size() == 2);
  CHECK(all["curves"]["0"]["updates"]["count"] == 50'000);
  CHECK(std::ranges::max(all["curves"]["0"]["updates"]["loss"]["max"].get<std::vector<double>>()) == 77);
  CHECK(all["curves"]["1"]["updates"]["loss"] == json({2, 2, 2}));
  CHECK(all["samples"]["0"].size() == 100);
  CHECK(all["samples"]["0"].front()["step"] == 0);
  CHECK(all["samples"]["0"].back()["step"] == 249);
  CHECK(all["samples"]["1"].empty());
  Board again({folder.path("a"), folder.path("b")});
  again.read_all();
  CHECK((again.whole_json() == text));
}

}  // namespace weft::tools
