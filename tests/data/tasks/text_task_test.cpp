#include <doctest/doctest.h>
#include <weft/data/tasks/registry.h>
#include <weft/data/tasks/text_task.h>
#include <weft/lib/base/error.h>

#include <algorithm>

#include "folder.h"

using namespace weft;

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
