// Where the records lie that a batch of a table task was made of.
#include <doctest/doctest.h>
#include <weft/data/tasks/registry.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "folder.h"

using namespace weft;

namespace {

TaskData opened(const std::string& task, const std::vector<std::string>& data,
                std::initializer_list<std::pair<const std::string, SettingValue>> changed = {}) {
  SettingValues all;
  for (const Setting& s : tasks().at(task).settings) all.set(s.name, s.value);
  for (const auto& [name, value] : changed) all.set(name, value);
  return open_task({.name = task, .settings = all, .seed = 3, .update_size = 4, .data = data});
}

/// What the row is made of: the texts between the special tokens, and those that were masked.
std::string said(const TaskData& task, const Batch& batch, int64_t row, bool of_targets) {
  const std::set<int64_t> marks = [&] {
    std::set<int64_t> all;
    for (const auto& [name, id] : task.tokenizer->special_tokens()) all.insert(id);
    return all;
  }();
  const int64_t width = (of_targets ? batch.targets : batch.inputs).dim(1);
  std::vector<int64_t> ids;
  for (int64_t t = 0; t < width; ++t) {
    const double target = of_targets || task.shape.kind == TaskKind::masked ? batch.targets.at({row, t})
                                                                            : double{Batch::ignored};
    const auto id = static_cast<int64_t>(target != Batch::ignored ? target
                                         : of_targets             ? double{Batch::ignored}
                                                                  : batch.inputs.at({row, t}));
    if (id >= 0 && !marks.contains(id)) ids.push_back(id);
  }
  return task.tokenizer->decode(ids);
}

std::string line_of(const TokenPlace& place) {
  std::ifstream in(place.file);
  std::string line;
  for (int64_t i = 0; i < place.line; ++i) std::getline(in, line);
  return line;
}

/// Calls check(batch, row, places) for the rows of the batches of two epochs.
template <class Check>
void each_row(const TaskData& task, Check check) {
  std::set<std::pair<std::string, int64_t>> met;
  const int64_t epoch = task.training->samples_per_epoch();
  for (int64_t n = 0; n < 2 * epoch;) {
    const int64_t count = std::min(task.training->next_batch(n, 4), 2 * epoch - n);
    const Batch batch = task.training->batch(n, count);
    const auto places = task.training->places(n, count);
    REQUIRE(std::ssize(places) == count);
    for (int64_t row = 0; row < count; ++row) {
      const std::vector<SamplePlace>& of_row = places[static_cast<size_t>(row)];
      REQUIRE_FALSE(of_row.empty());
      for (const SamplePlace& one : of_row) CHECK(one.first == one.last);
      met.emplace(of_row[0].first.file, of_row[0].first.line);
      check(batch, row, of_row);
    }
    n += count;
  }
  CHECK(std::ssize(met) == epoch);
}

/// `records` lines made by line(i), of which some are longer.
template <class Line>
std::string lines(int records, Line line) {
  std::string all;
  for (int i = 0; i < records; ++i) all += line(i, std::string(static_cast<size_t>(i % 7), 'a')) + "\n";
  return all;
}

}  // namespace

TEST_CASE("samples of a table lie where their records begin, by length and in order, masked or not") {
  const Folder folder;
  const auto line = [](int i, const std::string& more) {
    return str("\"n", i, more, i % 5 == 0 ? "\n" : "", "\",", i % 2 == 0 ? "x" : "y");
  };
  const std::string a = folder.write("a.csv", "text,label\n" + lines(40, line)),
                    b = folder.write("b.csv", "text,label\nb100,x\nb101,y\nb102,x\n");
  for (const char* const name : {"classify", "masked"})
    for (const char* const batching : {"length", "order"}) {
      const TaskData task = opened(name, {a, b}, {{"batching", std::string(batching)}});
      each_row(task, [&](const Batch& batch, int64_t row, const std::vector<SamplePlace>& places) {
        REQUIRE(places.size() == 1);
        std::string text = said(task, batch, row, false);
        if (text.ends_with("\n")) text.pop_back();
        const std::string found = line_of(places[0].first);
        // In quotes, or up to the comma.
        const std::string read = found.starts_with("\"") ? found.substr(1) : found;
        CHECK(read.substr(0, read.find_first_of("\",")) == text);
        CHECK(places[0].first.byte == -1);
      });
    }
}

TEST_CASE("samples of files side by side lie in both") {
  const Folder folder;
  const std::string en = folder.write("a.en",
                                      lines(30, [](int i, const std::string&s) { return str("e", i, s); })),
                    fr = folder.write("a.fr",
                                      lines(30, [](int i, const std::string&s) { return str(s, "f", i); }));
  const TaskData task = opened("pairs", {en + "," + fr});
  each_row(task, [&](const Batch& batch, int64_t row, const std::vector<SamplePlace>& places) {
    REQUIRE(places.size() == 2);
    CHECK(places[0].first.file == en);
    CHECK(places[1].first.file == fr);
    CHECK(line_of(places[0].first) == said(task, batch, row, false));
    CHECK(line_of(places[1].first) == said(task, batch, row, true));
  });
}

TEST_CASE("samples of chats and of texts with a prefix lie in their line") {
  const Folder folder;
  const std::string chats =
      folder.write("c.jsonl", lines(30, [](int i, const std::string& s) {
                     return str("{\"question\": \"q", i, s, "\", \"answer\": \"a", i, s, "\"}");
                   }));
  const TaskData chat = opened("chat", {chats});
  each_row(chat, [&](const Batch& batch, int64_t row, const std::vector<SamplePlace>& places) {
    REQUIRE(places.size() == 1);
    const std::string answer = said(chat, batch, row, true);
    REQUIRE(answer.size() > 1);
    CHECK(line_of(places[0].first).ends_with("\"" + answer + "\"}"));
  });
  const std::string table = folder.write(
      "p.tsv", "prefix\tsource\ttarget\n" +
                   lines(30, [](int i, const std::string& s) { return str("say\ts", i, s, "\tt", i); }));
  const TaskData prefixed = opened("text-to-text", {table});
  each_row(prefixed, [&](const Batch& batch, int64_t row, const std::vector<SamplePlace>& places) {
    REQUIRE(places.size() == 1);
    CHECK(line_of(places[0].first) ==
          str("say\t", said(prefixed, batch, row, false).substr(5), "\t", said(prefixed, batch, row, true)));
  });
}

TEST_CASE("masked windows lie from the byte of their first token to that of their last") {
  const Folder folder;
  const std::string text = lines(60, [](int i, const std::string& s) { return str("line ", i, s); });
  const std::string path = folder.write("a.txt", text);
  const TaskData task = opened("masked", {path}, {{"block_size", int64_t{18}}});
  const Batch batch = task.training->batch(0, 12);
  const auto places = task.training->places(0, 12);
  for (int64_t row = 0; row < 12; ++row) {
    REQUIRE(places[static_cast<size_t>(row)].size() == 1);
    const auto& [first, last] = places[static_cast<size_t>(row)][0];
    CHECK(first.file == path);
    CHECK(last.byte == first.byte + 16);
    CHECK(first.line == 1 + std::count(text.begin(), text.begin() + first.byte, '\n'));
    int64_t as_read = 0;
    for (int64_t t = 0; t < 16; ++t) {
      const std::string one(1, text[static_cast<size_t>(first.byte + t)]);
      const bool asked = batch.targets.at({row, t + 1}) != Batch::ignored;
      const auto id = static_cast<int64_t>((asked ? batch.targets : batch.inputs).at({row, t + 1}));
      as_read += task.tokenizer->decode(std::vector<int64_t>{id}) == one;
    }
    CHECK(as_read == 16);
  }
}

TEST_CASE("what was read nowhere has no places") {
  const auto task = make_task("reverse");
  for (const auto& of_one : task->places(0, 5)) CHECK(of_one.empty());
  CHECK_THROWS_AS(task->places(-1, 2), ValueError);
}
