#include <doctest/doctest.h>
#include <weft/data/tasks/registry.h>
#include <weft/data/tasks/text_sources.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <set>

#include "folder.h"

using namespace weft;

namespace {

TaskRequest request_of(std::vector<std::string> data,
                       std::initializer_list<std::pair<const std::string, SettingValue>> changed = {}) {
  TaskRequest request{.name = "text"};
  for (const Setting& s : tasks().at("text").settings) request.settings.set(s.name, s.value);
  request.settings.set("block_size", int64_t{16});
  for (const auto& [name, value] : changed) request.settings.set(name, value);
  request.data = std::move(data);
  return request;
}

std::string text_of(const TextSources& sources, const TextStretch& stretch) {
  std::vector<int64_t> ids(static_cast<size_t>(stretch.tokens.size));
  stretch.tokens.read(0, ids);
  std::erase(ids, sources.end_id);
  return sources.tokenizer->decode(ids);
}

std::string times(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

const SettingValue hash{std::string("hash")}, documents{std::string("documents")};

}  // namespace

TEST_CASE("sources with weights: one tokenizer, a split each, and a hash of all with their weights") {
  const Folder folder;
  const std::string a = folder.write("a", times("ab", 100)), b = folder.write("b", times("bc", 50));
  const TextSources both = open_text_sources(request_of({a + ":3", b}));
  REQUIRE(both.training.size() == 2);
  CHECK(both.training[0].weight == 3);
  CHECK(both.training[1].weight == 1);
  CHECK(text_of(both, both.training[0]) == times("ab", 90));
  CHECK(text_of(both, both.validation[1]) == times("bc", 5));
  CHECK(both.tokenizer->vocab_size() == 4);
  CHECK(both.content_hash != open_text_sources(request_of({a + ":2", b})).content_hash);
  const TextSources joined = open_text_sources(request_of({a, b}));
  CHECK(joined.training.size() == 1);
  CHECK_FALSE(joined.weighted);

  const TaskData task = open_task(request_of({a + ":3", b}, {{"block_size", int64_t{4}}}));
  const Batch batch = task.training->batch(0, 40);
  const int64_t c = task.tokenizer->encode("c")[0];
  int64_t with_c = 0;
  for (size_t row = 0; row < 40; ++row) {
    const auto ids = batch.inputs.values<int64_t>().subspan(row * 4, 4);
    with_c += std::ranges::count(ids, c) > 0;
  }
  CHECK(with_c == 10);
  CHECK(task.unseen.size() == 5 + 2);
}

TEST_CASE("files that validate leave all of the others to train, and equal documents are told") {
  const Folder folder;
  const std::string a = folder.write("a", times("ab", 40)), b = folder.write("b", times("ba", 30)),
                    v = folder.write("v", times("ba", 30)), w = folder.write("w", times("a", 30));
  TaskRequest request = request_of({a, b});
  request.val_data = {v, w};
  const TextSources sources = open_text_sources(request);
  CHECK(text_of(sources, sources.training[0]) == times("ab", 40) + times("ba", 30));
  CHECK(text_of(sources, sources.validation[0]) == times("ba", 30) + times("a", 30));
  REQUIRE(sources.notes.size() == 1);
  CHECK(sources.notes[0] == "note: 1 of the 2 documents that validate stand among those that train, too");
  request.val_data = {w};
  CHECK(open_text_sources(request).content_hash != sources.content_hash);
  request.expected_hash = sources.content_hash;
  CHECK_THROWS_AS(open_text_sources(request), OtherText);
}

TEST_CASE("split by hash: a document stays on its side when others are added") {
  const Folder folder;
  std::string lines;
  for (int i = 0; i < 300; ++i) lines += str("the document number ", i, " of all\n");
  const std::string few = folder.write("few.txt", lines),
                    more = folder.write("more.txt", "first of all\n" + lines);
  const auto validating = [&](const std::string& path) {
    const TextSources sources = open_text_sources(
        request_of({path}, {{"format", std::string("txt")}, {"split", hash}, {"packing", documents}}));
    std::set<std::string> all;
    const TextStretch& stretch = sources.validation[0];
    for (int64_t i = 0; i < stretch.text.documents.size(); ++i) {
      std::vector<int64_t> begins(2);
      stretch.text.documents.begins(i, begins);
      std::vector<int64_t> ids(static_cast<size_t>(begins[1] - begins[0] - 1));
      stretch.text.tokens->read(begins[0], ids);
      all.insert(sources.tokenizer->decode(ids));
    }
    return all;
  };
  std::set<std::string> before = validating(few), after = validating(more);
  CHECK(before.size() > 10);
  after.erase("first of all");
  CHECK(before == after);
  CHECK_THROWS_AS(open_text_sources(request_of({few}, {{"split", hash}})), ValueError);
}

TEST_CASE(
    "packed documents: validation begins with one, no target leaves its own, evaluation has each once") {
  const Folder folder;
  std::string lines;
  for (int i = 0; i < 100; ++i)
    lines += times(std::string(1, static_cast<char>('a' + i % 20)), 1 + i % 23) + "\n";
  const std::string path = folder.write("a.txt", lines);
  const TaskData task =
      open_task(request_of({path}, {{"format", std::string("txt")}, {"packing", documents}}));
  REQUIRE(task.end_id >= 0);
  int64_t ends = 0;
  for (int64_t n = 0; n < task.training->samples_per_epoch(); ++n) {
    const Batch batch = task.training->batch(n, 1);
    const auto in = batch.inputs.values<int64_t>(), out = batch.targets.values<int64_t>();
    for (size_t i = 0; i < in.size(); ++i) {
      if (out[i] == Batch::ignored) continue;
      CHECK(in[i] != task.end_id);
      CHECK((out[i] == in[i] || out[i] == task.end_id));
      ends += out[i] == task.end_id;
    }
  }
  for (int64_t n = 0; n < task.unseen.size(); ++n) {
    const Batch batch = task.unseen.batch(n, 1);
    ends += std::ranges::count(batch.targets.values<int64_t>(), task.end_id);
  }
  CHECK(ends == 100);
}

TEST_CASE("equal bytes under other endings are other records, and have caches of their own") {
  const Folder folder;
  const std::string bytes = times("a,b\tc,d\n", 30);
  const std::string csv = folder.write("a.csv", bytes), tsv = folder.write("a.tsv", bytes);
  const auto read = [&](const std::string& path, const std::string& cache) {
    TaskRequest request = request_of({path}, {{"text", std::string("1")}, {"header", std::string("no")}});
    request.tokenizer = std::make_shared<CharTokenizer>(CharTokenizer::of("abcd,\t"));
    if (!cache.empty()) request.cache_folder = folder.path(cache);
    const TextSources sources = open_text_sources(request);
    return text_of(sources, sources.training[0]);
  };
  CHECK(read(csv, "cache") == read(csv, ""));
  CHECK(read(tsv, "cache") == read(tsv, ""));
  CHECK(read(csv, "cache") != read(tsv, "cache"));
}

TEST_CASE("what was altered or passed over of records is told") {
  const Folder folder;
  std::string bytes = "t\n\"\"\nbad \xff\n\"cr\r\"\n";
  for (int i = 0; i < 40; ++i) bytes += str("text ", i, "\n");
  const auto notes = [&](std::initializer_list<std::pair<const std::string, SettingValue>> changed) {
    TaskRequest request = request_of({folder.write("a.csv", bytes)}, changed);
    std::string all;
    for (const std::string& note : open_task(request).notes) all += note + "\n";
    return all;
  };
  const std::string all = notes(
      {{"text", std::string("t")}, {"invalid", std::string("replace")}, {"empty", std::string("skip")}});
  for (const char* const part :
       {"1 bytes are not UTF-8", "1 records with an empty field", "1 carriage returns"})
    CHECK_MESSAGE(all.find(part) != std::string::npos, all);
}

TEST_CASE("records that are read as plain text are told, with what reads them") {
  const Folder folder;
  const std::string path = folder.write("a.jsonl", times("{\"t\": \"some text\"}\n", 20));
  const TextSources plain = open_text_sources(request_of({path}));
  REQUIRE(plain.notes.size() == 1);
  CHECK(plain.notes[0].find("--set text=COLUMN") != std::string::npos);
  const TextSources records = open_text_sources(request_of({path}, {{"text", std::string("t")}}));
  REQUIRE(records.notes.size() == 1);  // all of them are equal
  CHECK(records.notes[0].starts_with("note: 2 of the 2"));
}
