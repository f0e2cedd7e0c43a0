// data inspect.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "program.h"

namespace {

Result inspect(const Folder& folder, const Arguments& more) {
  Arguments all{"data", "inspect"};
  all.insert(all.end(), more.begin(), more.end());
  return weft(folder, all);
}

}  // namespace

TEST_CASE("data inspect tells counts, lengths, labels, duplicates and the first records") {
  const Folder folder;
  folder.with("a.csv", "text,label\nhello,x\n\"a,\nb\",y\nhello,x\n").with("b.csv", "label,text\nx,\n");
  const Result result =
      inspect(folder, {"a.csv", "b.csv", "--json", "--overlong", "4", "--set", "text=text", "label=label"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(result.err == "");
  const auto found = nlohmann::json::parse(result.out);
  CHECK(found["files"] == nlohmann::json{"a.csv", "b.csv"});
  CHECK(found["format"] == "csv");
  CHECK(found["header"] == true);
  CHECK(found["records"] == 4);
  CHECK(found["bytes"] == folder.read("a.csv").size() + folder.read("b.csv").size());
  CHECK(found["duplicates"] == 1);
  const auto& text = found["columns"][0];
  CHECK(text["name"] == "text");
  CHECK(text["shortest"] == 0);
  CHECK(text["longest"] == 5);
  CHECK(text["mean"] == 3.5);
  CHECK(text["empty"] == 1);
  CHECK(text["overlong"] == 2);
  CHECK(text["lengths"] ==
        nlohmann::json::parse(R"([{"from":0,"to":0,"count":1},{"from":4,"to":7,"count":3}])"));
  CHECK(found["labels"] == nlohmann::json::parse(R"([{"text":"x","count":3},{"text":"y","count":1}])"));
  REQUIRE(found["first"].size() == 3);
  CHECK(found["first"][2] == nlohmann::json::parse(R"({"place":"a.csv: line 5","fields":["hello","x"]})"));

  const Result words = inspect(folder, {"a.csv"});
  REQUIRE(words.code == 0);
  CHECK(contains(words.out, "3 records, "));
  CHECK(contains(words.out, "1 duplicate\n"));
  CHECK(
      contains(words.out, "column text: 4 to 5 characters, 4.7 on average; 0 empty, 0 of more than 1,000\n"));
  CHECK(contains(words.out, "a.csv: line 3\n  text: \"a,\\nb\"\n  label: \"y\"\n"));
}

TEST_CASE("data inspect tells the characters and words of plain text") {
  const Folder folder;
  folder.write("a.txt", "to be or\nnot to be\n");
  const auto found = nlohmann::json::parse(inspect(folder, {"a.txt", "--json"}).out);
  CHECK(found["records"] == 2);
  CHECK(found["words"][0] == nlohmann::json::parse(R"({"text":"be","count":2})"));
  CHECK(found["characters"][0] == nlohmann::json::parse(R"({"text":" ","count":4})"));
  CHECK(contains(inspect(folder, {"a.txt"}).out, "2 lines, 19 bytes, 17 characters, 0 duplicates\n"));
}

TEST_CASE("data inspect reads files side by side") {
  const Folder folder;
  folder.with("a.en", "one\ntwo\n").with("a.fr", "un\ndeux\n").with("b.fr", "un\n");
  const Result result = inspect(folder, {"a.en,a.fr", "--set", "source=en", "target=fr"});
  CHECK(result.code == 0);
  CHECK(contains(result.out, "a.en: line 2\n  en: \"two\"\n  fr: \"deux\"\n"));
  const Result unequal = inspect(folder, {"a.en,b.fr"});
  CHECK(unequal.code == 2);
  CHECK(contains(unequal.err, "b.fr: ends after line 1, and a.en goes on"));
}

TEST_CASE("data inspect refuses what cannot be read, with its place and what to type") {
  const Folder folder;
  folder.with("a.csv", "text,label\nx\n").with("a.data", "x\n").with("a.txt", "{\"a\": 1}\n");
  const auto refused = [&](const Arguments& more, const std::string& text) {
    const Result result = inspect(folder, more);
    CHECK(result.code == 2);
    CHECK(result.out == "");
    CHECK_MESSAGE(contains(result.err, text), result.err);
  };
  refused({"a.csv"}, "a.csv: line 2: has 1 column, not 2 as line 1; column 2 'label' is missing");
  refused({"a.csv", "--set", "label=lable"},
          "there is no column 'lable'; there are text, label; did you mean 'label'?");
  refused({"a.data"}, "a.data: its ending names no format; format= says it: csv, tsv, jsonl, json, txt");
  refused({"a.data", "--format", "cvs"}, "there is no format 'cvs'");
  refused({"a.txt"}, "format=jsonl reads them");
  refused({"a.csv", "--set", "foo=1"}, "--set foo=1: there is no such key; there are format, text,");
  refused({"a.csv", "--set", "header=maybe"}, "--set header=maybe: must be ");
  refused({"missing.csv"}, "missing.csv");
  const Result other = weft(folder, {"data", "look", "a.csv"});
  CHECK(other.code == 2);
  CHECK(contains(other.err, "data: there is no 'look'; data inspect FILE..."));
}

TEST_CASE("data where names the lines that fed an update, also of a mixture, after a resume") {
  const Folder folder;
  std::string a, b;
  for (int i = 0; i < 300; ++i) {
    a += "a" + std::to_string(i) + "\n";
    b += "b" + std::to_string(i) + "\n";
  }
  folder.with("a.txt", a).with("b.txt", b);
  const Arguments settings{"--set",        "n_layer=1",   "n_embd=8",     "n_head=1",       "block_size=8",
                           "batch_size=4", "max_iters=3", "eval_iters=1", "sample_tokens=0"};
  Arguments train{"train", "--data", "a.txt:3", "b.txt:1", "--out", "run"};
  train.insert(train.end(), settings.begin(), settings.end());
  REQUIRE_MESSAGE(weft(folder, train).code == 0, weft(folder, train).err);
  int of_b = 0, all = 0;
  for (const char* step : {"0", "1", "2", "7"}) {
    const Result result = weft(folder, {"data", "where", "run", "--step", step, "--json"});
    REQUIRE_MESSAGE(result.code == 0, result.err);
    const auto found = nlohmann::json::parse(result.out);
    REQUIRE(found["samples"].size() == 4);
    for (const auto& sample : found["samples"]) {
      CHECK(sample["sample"] == 4 * std::stoi(step) + all % 4);
      const auto& first = sample["places"][0]["first"];
      const std::string file = first["file"];
      const bool is_b = file.ends_with("b.txt");
      of_b += is_b;
      ++all;
      // The line holds its own number, and begins no later than the byte.
      const std::string& text = is_b ? b : a;
      const int64_t line = first["line"], byte = first["byte"];
      CHECK(line == 1 + std::count(text.begin(), text.begin() + byte, '\n'));
    }
  }
  CHECK(of_b == 4);
  const Result text = weft(folder, {"data", "where", "run", "--step", "1"});
  CHECK(contains(text.out, "sample 4: "));
  CHECK(weft(folder, {"data", "where", "run"}).code == 2);
  CHECK(weft(folder, {"data", "where", "nothing", "--step", "1"}).code == 2);
}

TEST_CASE("eval takes several files, each a document, and tells bits per byte") {
  const Folder folder;
  std::string story;
  for (int i = 0; i < 60; ++i) story += "{\"t\": \"once there were " + std::to_string(i) + "\", \"n\": 1}\n";
  folder.with("s.jsonl", story)
      .with("c.jsonl", "{\"t\": \"once \"}\n")
      .with("d.jsonl", "{\"t\": \"there\"}\n{\"t\": \"w\"}\n");
  Arguments train{"train",        "--data",      "s.jsonl",      "--out",
                  "run",          "--set",       "text=t",       "packing=documents",
                  "n_layer=1",    "n_embd=8",    "n_head=1",     "block_size=32",
                  "batch_size=4", "max_iters=2", "eval_iters=1", "sample_tokens=0"};
  const Result trained = weft(folder, train);
  REQUIRE_MESSAGE(trained.code == 0, trained.err);
  const Result result = weft(folder, {"eval", "run", "--data", "c.jsonl", "d.jsonl", "--json"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  // Of each document the first token is not scored, and its end is.
  CHECK(number_in(result.out, "tokens") == 5 + 5 + 1);
  CHECK(number_in(result.out, "bytes") == 4 + 4 + 0);
  const double bits = number_in(result.out, "loss") * 11 / 8 / std::log(2.0);
  CHECK(number_in(result.out, "bits_per_byte") == doctest::Approx(bits));
  CHECK(weft(folder, {"eval", "run", "--stride", "2"}).code == 2);
  REQUIRE(weft(folder, {"eval", "run", "--json"}).code == 0);
}

TEST_CASE("ids that are ready made are trained on and scored without a tokenizer") {
  const Folder folder;
  std::string ids;
  for (int i = 0; i < 600; ++i) ids += std::string{static_cast<char>(i % 7), '\0'};
  folder.with("a.bin", ids);
  const Result trained =
      weft(folder, {"train", "--data", "a.bin", "--out", "run", "--set", "format=ids", "n_layer=1",
                    "n_embd=8", "n_head=1", "block_size=8", "batch_size=4", "max_iters=2", "eval_iters=1"});
  REQUIRE_MESSAGE(trained.code == 0, trained.err);
  CHECK(contains(trained.err + trained.out, "7 in the vocabulary"));
  const Result scored = weft(folder, {"eval", "run", "--json"});
  REQUIRE_MESSAGE(scored.code == 0, scored.err);
  CHECK(number_in(scored.out, "tokens") == 59);
  CHECK_FALSE(contains(scored.out, "bits_per_byte"));
  CHECK(weft(folder, {"eval", "run", "--data", "a.bin"}).code == 0);
  CHECK(weft(folder, {"train", "--resume", "run"}).code == 0);
}
