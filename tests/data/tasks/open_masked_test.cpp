#include <doctest/doctest.h>
#include <weft/data/tasks/open_internal.h>
#include <weft/data/tasks/table_task.h>
#include <weft/data/text/tokenize.h>

#include <algorithm>
#include <set>

#include "checks.h"
#include "folder.h"

using namespace weft;
using test::refuses;

namespace {

using Ids = std::vector<int64_t>;

TaskRequest request(const std::string& path,
                    std::initializer_list<std::pair<const std::string, SettingValue>> changed = {}) {
  SettingValues settings;
  for (const Setting& s : tasks().at("masked").settings) settings.set(s.name, s.value);
  settings.set("block_size", int64_t{10});
  for (const auto& [name, value] : changed) settings.set(name, value);
  return {.name = "masked", .settings = settings, .seed = 5, .data = {path}};
}

std::string letters(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += static_cast<char>('a' + i * i % 23);
  return text;
}

/// A row with what was hidden put back.
Ids whole(const Batch& batch, int64_t row) {
  const int64_t width = batch.inputs.dim(1);
  Ids ids;
  const int64_t length = batch.lengths.empty() ? width : batch.lengths[static_cast<size_t>(row)];
  for (int64_t t = 0; t < length; ++t) {
    const auto wanted = static_cast<int64_t>(batch.targets.at({row, t}));
    ids.push_back(wanted != Batch::ignored ? wanted : static_cast<int64_t>(batch.inputs.at({row, t})));
  }
  return ids;
}

/// What stands between <cls> and <sep> of such a window.
std::string text_of(const TaskData& data, const Batch& batch, int64_t row) {
  const Ids ids = whole(batch, row);
  return data.tokenizer->decode(std::span(ids).subspan(1, 8));
}

}  // namespace

TEST_CASE("masked: windows of any text, each between <cls> and <sep>, nine tenths of which train") {
  const Folder folder;
  const std::string text = letters(1000), path = folder.write("a.txt", text);
  const TaskData data = open_masked(request(path));
  const SpecialIds special = SpecialIds::of(*data.tokenizer);
  CHECK(data.shape.vocab_size == data.tokenizer->vocab_size());
  CHECK(data.shape.sizes.longest_input == 10);
  const Batch batch = data.training->batch(0, 300);
  for (int64_t row = 0; row < 300; ++row) {
    const Ids ids = whole(batch, row);
    REQUIRE(ids.size() == 10);
    CHECK(ids.front() == special.cls);
    CHECK(ids.back() == special.sep);
    const std::string said = data.tokenizer->decode(std::span(ids).subspan(1, 8));
    CHECK(text.substr(0, 900).find(said) != std::string::npos);
    int64_t asked = 0;
    for (int64_t t = 0; t < 10; ++t) asked += batch.targets.at({row, t}) != Batch::ignored;
    CHECK(asked == 1);
  }
  REQUIRE(data.unseen.size() > 0);
  const Batch kept = data.unseen.batch(0, 4);
  CHECK(text.substr(900).find(text_of(data, kept, 0)) != std::string::npos);
  refuses<ValueError>(
      [&] {
        open_masked(request(path, {{"block_size", int64_t{2}}}));
      },
      {"block_size = 2", "<cls>"});
  refuses<ValueError>([&] { open_masked(request(path, {{"samples", int64_t{9}}})); }, {"samples"});
  // Files of their own validate, and the others are mixed by their weights.
  std::string capitals = text;
  for (char& c : capitals) c = static_cast<char>(c - 'a' + 'A');
  TaskRequest validated = request(path);
  validated.data = {path + ":3", folder.write("b.txt", capitals)};
  validated.val_data = {folder.write("v.txt", text.substr(100, 200))};
  const TaskData mixed = open_masked(validated);
  const Batch other = mixed.unseen.batch(0, 4);
  for (int64_t row = 0; row < 4; ++row)
    CHECK(text.substr(100, 200).find(text_of(mixed, other, row)) != std::string::npos);
  const Batch both = mixed.training->batch(0, 400);
  int64_t first = 0;
  for (int64_t row = 0; row < 400; ++row) first += text.find(text_of(mixed, both, row)) != std::string::npos;
  CHECK(first == 300);
  validated = request(path);
  validated.expected_hash = std::string(32, '0');
  CHECK_THROWS_AS(open_masked(validated), OtherText);
}

TEST_CASE("masked: what a run should know of its text is told; every ending of records is known") {
  const Folder folder;
  const TaskData text = open_masked(request(folder.write("a.txt", letters(300) + "\r\n")));
  REQUIRE(text.notes.size() == 1);
  CHECK(text.notes[0].find("1 carriage returns") != std::string::npos);
  refuses<ValueError>(
      [&] {
        open_masked(request(folder.path("a.txt"), {{"batch_tokens", int64_t{64}}}));
      },
      {"batch_tokens = 64"});
  std::string lines;
  for (int i = 0; i < 60; ++i) lines += "{\"text\": \"" + letters(5) + std::to_string(i) + "\"}\n";
  const TaskData records = open_masked(request(folder.write("a.ndjson", lines)));
  CHECK(records.summary.find("records train") != std::string::npos);
}

TEST_CASE("masked: of records other words are hidden in each epoch, and the same ones after a resume") {
  const Folder folder;
  std::string table = "text\n";
  for (int i = 0; i < 80; ++i) table += letters(6 + i % 9) + std::to_string(i) + "\n";
  const std::string path = folder.write("a.csv", table);
  const TaskData data = open_masked(request(path)), again = open_masked(request(path));
  const int64_t epoch = data.training->samples_per_epoch();
  std::set<Ids> texts;
  std::multiset<std::pair<Ids, Ids>> first, second;
  for (int64_t n = 0; n < 2 * epoch; ++n) {
    const Batch one = data.training->batch(n, 1), same = again.training->batch(n, 1);
    CHECK(one.inputs.identical(same.inputs));
    CHECK(one.targets.identical(same.targets));
    const Ids ids = whole(one, 0);
    texts.insert(ids);
    Ids hidden;
    for (int64_t t = 0; t < std::ssize(ids); ++t)
      if (one.targets.at({0, t}) != Batch::ignored) hidden.push_back(t);
    CHECK(hidden.size() >= 1);
    (n < epoch ? first : second).insert({ids, hidden});
  }
  CHECK(std::ssize(texts) == epoch);  // each text in both epochs, and no other
  CHECK(std::ssize(first) == epoch);
  int64_t differ = 0;
  for (auto a = first.begin(), b = second.begin(); a != first.end(); ++a, ++b) {
    REQUIRE(a->first == b->first);
    differ += a->second != b->second;
  }
  CHECK(differ > epoch / 2);
}

TEST_CASE("masked: what is scored is all of a file, of windows or of records") {
  const Folder folder;
  const std::string path = folder.write("a.txt", letters(100)),
                    table = folder.write("a.csv", "text\nabc\nbd\n");
  const TaskData data = open_masked(request(path));
  TaskRequest asked = request(path);
  refuses<ValueError>([&] { open_masked_to_score(asked); }, {"no tokenizer"});
  asked.tokenizer = data.tokenizer;
  const TaskPointer windows = open_masked_to_score(asked);
  CHECK(windows->samples_per_epoch() == 12);
  CHECK(text_of(data, windows->batch(11, 1), 0) == letters(96).substr(88));
  asked.data = {table};
  asked.settings.set("longest", int64_t{0});
  const TaskPointer records = open_masked_to_score(asked);
  CHECK(records->samples_per_epoch() == 2);
  CHECK(whole(records->batch(0, 1), 0).size() == 5);
}
