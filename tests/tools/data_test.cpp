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
  return run_weft(folder, all);
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

TEST_CASE("data inspect tells documents of plain text, whatever their endings, and lines") {
  const Folder folder;
  folder.with("d/a.md", "one\r\ntwo\n")
      .with("d/b", "\xc3\xa9t\xc3\xa9\n")
      .with("d/c.md", "\xc3\xa9t\xc3\xa9\n")
      .with("d/e", "");
  const Result result = inspect(folder, {"d", "--json", "--task", "none"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const auto found = nlohmann::json::parse(result.out);
  CHECK(found["format"] == "txt");
  CHECK(found["records"] == 4);
  const auto& documents = found["documents"];
  CHECK(documents["count"] == 3);
  CHECK(documents["shortest"] == 4);
  CHECK(documents["longest"] == 9);
  CHECK(documents["duplicates"] == 1);
  CHECK(documents["carriage_returns"] == 1);
  CHECK(documents["empty_files"].size() == 1);
  CHECK_FALSE(found.contains("run"));
  CHECK_FALSE(found.contains("tokens"));
  CHECK(contains(inspect(folder, {"d"}).out, "\n3 documents: 4 to 9 characters, 5.7 on average; 0 empty"));
}

TEST_CASE("data inspect tells tokens, and what a run on a table would be") {
  const Folder folder;
  std::string rows = "text,label\n";
  for (int i = 0; i < 60; ++i)
    rows += std::string(static_cast<size_t>(1 + i % 10), 'a') + std::to_string(i) +
            (i % 3 == 0 ? ",no\n" : ",yes\n");
  folder.with("a.csv", rows);
  const Result result =
      inspect(folder, {"a.csv", "--json", "--set", "tokenizer=byte", "batch_size=4", "longest=9"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const auto found = nlohmann::json::parse(result.out);
  const auto& tokens = found["tokens"];
  CHECK(tokens["tokenizer"] == "byte");
  CHECK(tokens["bytes_per_token"] == 1);
  CHECK(tokens["unknown"] == 0);
  CHECK(tokens["refused"] == 0);
  CHECK(tokens["used"] == 11);
  REQUIRE(tokens["texts"].size() == 1);
  CHECK(tokens["texts"][0]["name"] == "text");
  CHECK(tokens["texts"][0]["longest"] == 12);
  CHECK(tokens["texts"][0]["overlong"] ==
        60 / 10 * 3 - 1);  // of 10, 11 and 12, but for the 9 of the first row
  CHECK(tokens["frequent"][0]["text"] == "a");
  CHECK(tokens["frequent"][0]["count"] == 330);
  CHECK(tokens["tokens"] == 330 + 10 + 50 * 2);
  const auto& run = found["run"];
  CHECK(run["task"] == "classify");
  CHECK(run["model"] == "bert");
  REQUIRE(run["batches"].size() == 3);
  for (const auto& batch : run["batches"]) {
    CHECK(batch["rows"] == 4);
    const auto& row = batch["shown"][0];
    const std::string text = row["text"], target = row["target"];
    CHECK(text.starts_with("<cls>a"));
    CHECK(text.ends_with("<sep>"));
    CHECK(row["ids"].size() == text.size() - 10 + 2);
    CHECK(row["ids"].size() <= 9);
    CHECK((target == "yes" || target == "no"));
  }
  CHECK(run["padding"]["length"] < run["padding"]["order"]);
  CHECK(run["samples"]["input"]["longest"] == 9);
  CHECK_FALSE(run["samples"].contains("target"));
  CHECK(run["memory"]["most"] > run["memory"]["weights"]);

  const Result text = inspect(folder, {"a.csv", "--set", "tokenizer=byte"});
  CHECK(contains(text.out, "\ntokens of byte, 260 in the vocabulary: 440, 1.00 bytes each"));
  CHECK(contains(text.out, "\na run on it: --task classify --model bert\n"));
  CHECK(contains(text.out, "\nmemory: at most "));
  CHECK(contains(text.out, "\nbatch 3: "));
  CHECK(contains(text.out, "-> \"yes\"\n"));
}

TEST_CASE("data inspect takes each task by its columns, and says why there can be no run") {
  const Folder folder;
  std::string pairs, chats, masked;
  for (int i = 0; i < 40; ++i) {
    const std::string n = std::to_string(i);
    pairs += "s" + n + "\n";
    chats += R"({"messages":[{"role":"user","content":"q)" + n + R"("},{"role":"assistant","content":"a)" +
             n + "\"}]}\n";
  }
  folder.with("a.en", pairs)
      .with("a.fr", pairs)
      .with("c.jsonl", chats)
      .with("short.csv", "text,label\nx,y\n");
  const auto run_of = [&](const Arguments& more) {
    Arguments all{"--json", "--set", "tokenizer=char", "batch_size=4"};
    all.insert(all.begin(), more.begin(), more.end());
    const Result result = inspect(folder, all);
    REQUIRE_MESSAGE(result.code == 0, result.err);
    return nlohmann::json::parse(result.out)["run"];
  };
  const auto both = run_of({"a.en,a.fr"});
  CHECK(both["task"] == "pairs");
  CHECK(both["batches"][0]["target_width"] > 0);
  CHECK(both["samples"]["target"]["longest"] == 4);  // "s12</s>"
  const std::string source = both["batches"][0]["shown"][0]["text"];
  CHECK(source.ends_with("</s>"));
  CHECK(both["batches"][0]["shown"][0]["target"] == source);
  const auto chat = run_of({"c.jsonl"});
  CHECK(chat["task"] == "chat");
  const std::string said = chat["batches"][0]["shown"][0]["text"];
  CHECK(said.starts_with("<|user|>q"));
  const auto masks = run_of({"a.en", "--task", "masked", "--format", "txt"});
  CHECK(masks["task"] == "masked");
  CHECK(masks["batches"][0]["shown"][0]["target_ids"].size() > 0);
  const auto refused = run_of({"short.csv"});
  CHECK(contains(refused["refused"], "short.csv"));
  CHECK(refused["batches"].empty());
  // One that was asked for by name is needed.
  CHECK(inspect(folder, {"short.csv", "--task", "classify"}).code == 2);
}

TEST_CASE("data inspect counts with the tokenizer of a run, and what that cannot read") {
  const Folder folder;
  write_text(folder);
  REQUIRE(run_weft(folder, train("run")).code == 0);
  folder.with("other.csv", "text,n\nthe,1\n\xe2\x82\xac,2\n");
  const Result result = inspect(folder, {"other.csv", "--tokenizer", "run", "--task", "none", "--json"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const auto tokens = nlohmann::json::parse(result.out)["tokens"];
  CHECK(tokens["tokenizer"] == "char");
  CHECK(tokens["refused"].get<int>() >= 1);
  const std::string first = tokens["first_refused"];
  CHECK(contains(first, "other.csv: line "));
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
  refused({"a.data", "--format", "cvs"}, "there is no format 'cvs'");
  refused({"a.txt"}, "format=jsonl reads them");
  refused({"a.data", "--set", "foo=1"}, "--set foo=1");
  refused({"a.data", "--set", "text=1"},
          "a.data: its ending names no format; format= says it: csv, tsv, jsonl");
  refused({"a.data", "--task", "reverse"}, "--task reverse: makes its samples, and reads no files");
  refused({"a.data", "--task", "text"}, "too short");
  refused({"a.data", "--tokenizer", "none.json"}, "none.json");
  refused({"a.csv", "--set", "header=maybe"}, "--set header=maybe: must be ");
  refused({"missing.csv"}, "missing.csv");
  const Result other = run_weft(folder, {"data", "look", "a.csv"});
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
  REQUIRE_MESSAGE(run_weft(folder, train).code == 0, run_weft(folder, train).err);
  int of_b = 0, all = 0;
  for (const char* step : {"0", "1", "2", "7"}) {
    const Result result = run_weft(folder, {"data", "where", "run", "--step", step, "--json"});
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
  const Result text = run_weft(folder, {"data", "where", "run", "--step", "1"});
  CHECK(contains(text.out, "sample 4: "));
  CHECK(run_weft(folder, {"data", "where", "run"}).code == 2);
  CHECK(run_weft(folder, {"data", "where", "nothing", "--step", "1"}).code == 2);
}

TEST_CASE("data where names the record of each file of a table, also by length") {
  const Folder folder;
  std::string a, b;
  for (int i = 0; i < 60; ++i) {
    a += std::string(static_cast<size_t>(1 + i % 9), 'x') + std::to_string(i) + "\n";
    b += "y" + std::to_string(i) + "\n";
  }
  folder.with("a.en", a).with("a.fr", b);
  const Arguments train{"train",        "--task",      "pairs",        "--data",
                        "a.en,a.fr",    "--out",       "run",          "--set",
                        "n_layer=1",    "n_embd=8",    "n_head=1",     "tokenizer=char",
                        "batch_size=4", "max_iters=2", "eval_iters=1", "sample_tokens=0"};
  const Result trained = run_weft(folder, train);
  REQUIRE_MESSAGE(trained.code == 0, trained.err);
  for (const char* step : {"0", "1", "9"}) {
    const Result result = run_weft(folder, {"data", "where", "run", "--step", step, "--json"});
    REQUIRE_MESSAGE(result.code == 0, result.err);
    const auto found = nlohmann::json::parse(result.out);
    REQUIRE(found["samples"].size() > 0);
    for (const auto& sample : found["samples"]) {
      REQUIRE(sample["places"].size() == 2);
      const std::string en = sample["places"][0]["first"]["file"], fr = sample["places"][1]["first"]["file"];
      CHECK(en.ends_with("a.en"));
      CHECK(fr.ends_with("a.fr"));
      CHECK(sample["places"][0]["first"]["line"] == sample["places"][1]["first"]["line"]);
      CHECK_FALSE(sample["places"][0]["first"].contains("byte"));
    }
  }
  CHECK(contains(run_weft(folder, {"data", "where", "run", "--step", "1"}).out, "a.fr:"));
}

TEST_CASE("the log of a run on text tells bits per byte, comparable between tokenizers") {
  const Folder folder;
  write_text(folder);
  const Result trained = run_weft(folder, train("run"));
  REQUIRE(trained.code == 0);
  const std::string line = lines_of(folder.read("run/metrics.jsonl")).front();
  CHECK(number_in(line, "val_bits_per_byte") ==
        doctest::Approx(number_in(line, "val_loss") / std::log(2.0)));  // a byte a character
  CHECK(contains(trained.err + trained.out, "  bits per byte "));
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
  const Result trained = run_weft(folder, train);
  REQUIRE_MESSAGE(trained.code == 0, trained.err);
  const Result result = run_weft(folder, {"eval", "run", "--data", "c.jsonl", "d.jsonl", "--json"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  // Of each document the first token is not scored, and its end is.
  CHECK(number_in(result.out, "tokens") == 5 + 5 + 1);
  CHECK(number_in(result.out, "bytes") == 4 + 4 + 0);
  const double bits = number_in(result.out, "loss") * 11 / 8 / std::log(2.0);
  CHECK(number_in(result.out, "bits_per_byte") == doctest::Approx(bits));
  CHECK(run_weft(folder, {"eval", "run", "--stride", "2"}).code == 2);
  REQUIRE(run_weft(folder, {"eval", "run", "--json"}).code == 0);
}

TEST_CASE("ids that are ready made are trained on and scored without a tokenizer") {
  const Folder folder;
  std::string ids;
  for (int i = 0; i < 600; ++i) ids += std::string{static_cast<char>(i % 7), '\0'};
  folder.with("a.bin", ids);
  const Result trained = run_weft(
      folder, {"train", "--data", "a.bin", "--out", "run", "--set", "format=ids", "n_layer=1", "n_embd=8",
               "n_head=1", "block_size=8", "batch_size=4", "max_iters=2", "eval_iters=1"});
  REQUIRE_MESSAGE(trained.code == 0, trained.err);
  CHECK(contains(trained.err + trained.out, "7 in the vocabulary"));
  const Result scored = run_weft(folder, {"eval", "run", "--json"});
  REQUIRE_MESSAGE(scored.code == 0, scored.err);
  CHECK(number_in(scored.out, "tokens") == 59);
  CHECK_FALSE(contains(scored.out, "bits_per_byte"));
  CHECK(run_weft(folder, {"eval", "run", "--data", "a.bin"}).code == 0);
  CHECK(run_weft(folder, {"train", "--resume", "run"}).code == 0);
}
