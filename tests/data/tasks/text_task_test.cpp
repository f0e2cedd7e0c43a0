#include <doctest/doctest.h>
#include <weft/data/tasks/registry.h>
#include <weft/data/tasks/text_task.h>
#include <weft/lib/base/error.h>

#include <algorithm>

#include "checks.h"
#include "folder.h"

using namespace weft;
using test::refuses;

namespace {

/// The settings as a new run has them.
SettingValues usual(std::initializer_list<std::pair<const std::string, SettingValue>> changed = {}) {
  SettingValues all;
  for (const Setting& s : tasks().at("text").settings) all.set(s.name, s.value);
  for (const auto& [name, value] : changed) all.set(name, value);
  return all;
}

}  // namespace

TEST_CASE("settings say what a document is; those of old runs say that there is one") {
  const auto files = [](const SettingValues& settings) { return text_files({"a"}, Newlines::lf, settings); };
  CHECK(files(usual()).by_file);
  CHECK_FALSE(files(usual({{"boundaries", std::string("none")}})).by_file);
  CHECK_FALSE(files({}).by_file);
  CHECK_FALSE(files({{"block_size", int64_t{8}}}).records.has_value());
  const TextFiles records = files(usual({{"text", std::string("story")}, {"empty", std::string("skip")}}));
  REQUIRE(records.records.has_value());
  CHECK(records.records->columns == std::vector<std::string>{"story"});
  CHECK(records.records->empty == RecordOptions::Empty::skip);
  CHECK(files(usual({{"format", std::string("txt")}})).records->format == "txt");
}

TEST_CASE("a run on one file is as it was before there were documents") {
  const Folder folder;
  const std::string path = folder.write("a.txt", std::string(30, 'a') + std::string(30, 'b') + "cacb");
  const auto open = [&](const SettingValues& settings) {
    return open_task({.name = "text", .settings = settings, .data = {path}});
  };
  const TaskData now = open(usual({{"block_size", int64_t{4}}})), before = open({{"block_size", int64_t{4}}});
  CHECK(now.content_hash == before.content_hash);
  CHECK(now.shape.vocab_size == 3);
  CHECK(now.summary == before.summary);
  CHECK(now.training->samples_per_epoch() == before.training->samples_per_epoch());
  const Batch a = now.training->batch(0, 20), b = before.training->batch(0, 20);
  CHECK(std::ranges::equal(a.inputs.values<int64_t>(), b.inputs.values<int64_t>()));
}

TEST_CASE("text with a NUL makes no tokenizer of characters, and is read by one that has it, and as bytes") {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 200; ++i) text += "ab";
  text[150] = '\0';
  const std::string path = folder.write("a.txt", text);
  const auto open = [&](const std::string& name, std::shared_ptr<const Tokenizer> with) {
    return open_task({.name = "text",
                      .settings = usual({{"block_size", int64_t{4}}, {"vocab_size", int64_t{257}}}),
                      .data = {path},
                      .tokenizer_name = name,
                      .tokenizer = std::move(with)});
  };
  refuses<FileError>([&] { open("char", nullptr); }, {path + ": a NUL at byte 150", "tokenizer=bpe"});
  CHECK(open("byte", nullptr).shape.vocab_size >= 256);
  CHECK(open("bpe", nullptr).shape.vocab_size >= 256);
  const auto old = std::make_shared<CharTokenizer>(CharTokenizer::of(std::string_view("\0ab", 3)));
  CHECK(open("char", old).shape.vocab_size == 3);
}

TEST_CASE("what validates has bytes a target, where the tokenizer gives the text back") {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 200; ++i) text += "\xc3\xa9z";
  const std::string path = folder.write("a.txt", text);
  const auto bytes = [&](const std::string& name, std::shared_ptr<const Tokenizer> with) {
    return open_task({.name = "text",
                      .settings = usual({{"block_size", int64_t{4}}}),
                      .data = {path},
                      .tokenizer_name = name,
                      .tokenizer = std::move(with)})
        .unseen.bytes_per_target;
  };
  CHECK(bytes("char", nullptr) == 1.5);
  CHECK(bytes("byte", nullptr) == 1);
  const auto half = std::make_shared<CharTokenizer>(CharTokenizer::of("z", {.unknown = true}));
  CHECK(bytes("char", half) == 0);
}

TEST_CASE("a language model trains on the records of a column") {
  const Folder folder;
  std::string lines;
  for (int i = 0; i < 50; ++i) lines += str("{\"story\": \"once ", i, "\", \"n\": ", i, "}\n");
  const std::string path = folder.write("a.jsonl", lines);
  const TaskData task =
      open_task({.name = "text",
                 .settings = usual({{"block_size", int64_t{8}}, {"text", std::string("story")}}),
                 .data = {path}});
  CHECK(task.tokenizer->special_tokens().contains("</s>"));
  const Batch batch = task.training->batch(0, 4);
  const int64_t end = task.tokenizer->special_tokens().at("</s>");
  CHECK(std::ranges::count(batch.inputs.values<int64_t>(), end) > 0);
}
