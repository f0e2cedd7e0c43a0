// Files of random bytes and of damaged tables: read, or refused with their place, and the same however they are cut.
// WEFT_FUZZ_SECONDS=60 goes on for as long with each format; else it is a moment.
#include <weft/data/text/utf8.h>
#include <weft/lib/base/error.h>

#include <chrono>
#include <cstdlib>
#include <random>

#include "reading.h"

namespace weft::test {
namespace {

using O = RecordOptions;

struct Fuzzed {
  const char* format;
  std::vector<std::string> seeds, parts;
};

const std::vector<std::string> marks = {
    "\xef\xbb\xbf", "\xc3", "\xff", "\xed\xa0\x80", "\xc3\xa9", "\r", "\n", "\r\n",
    "\"",           "\"\"", ",",    "\t",           " ",        "a",  "1",  std::string(1, '\0')};

const std::vector<Fuzzed> all_fuzzed = {
    {"csv", {"text,label\r\n\"a,\"\"b\nc\",x\r\nd,y\r\n", "1,2\n3,\"4\"\n"}, {",\"", "\",", "\"\n", "\r\""}},
    {"tsv", {"text\tlabel\n\"a b\tx\n", "a\tb\nc\td\n\n"}, {"\t\"", "\"\t"}},
    {"jsonl",
     {"{\"text\":\"a\\u00e9\\n\",\"label\":{\"x\":[1,2.5e3,true,null]}}\n{\"text\":\"\",\"label\":{\"x\":[]}}"
      "\n"},
     {"{", "}", "[", "]", ":", "\\", "\\u", "d800", "\\u0000", "null", "-", "1e999",
      "\"text\":", "{\"text\":1}"}},
    {"json",
     {"[{\"text\":\"a\",\"label\":1},\n {\"text\":\"b]\\\"\",\"label\":{\"x\":2}}]\n", "[[1,\"2\"],[3,4]]"},
     {"{", "}", "[", "]", ":", "\\", "],[", "\\\"", "null", "-", "1e999", "\"text\":", "{\"text\":1},"}},
    {"txt", {"one\ntwo\r\n\nthree"}, {}},
    {"pairs", {"one\ntwo\r\nthree"}, {}}};

std::string mutated(std::mt19937& random, const Fuzzed& of) {
  std::string text = random() % 16 == 0 ? "" : of.seeds[random() % of.seeds.size()];
  const auto at = [&] { return text.empty() ? 0 : random() % (text.size() + 1); };
  for (auto n = random() % 6; n > 0; --n) {
    const auto& parts = random() % 2 == 0 || of.parts.empty() ? marks : of.parts;
    switch (random() % 5) {
      case 0:
        text.insert(at(), parts[random() % parts.size()]);
        break;
      case 1:
        text.erase(at(), random() % 8);
        break;
      case 2:
        text.insert(at(), text.substr(at(), random() % 40));
        break;
      case 3:
        text.insert(at(), 1, static_cast<char>(random() % 256));
        break;
      case 4:
        text.resize(at());
        break;
    }
  }
  return text;
}

template <class T>
T any_of(std::mt19937& random, std::initializer_list<T> values) {
  return values.begin()[random() % values.size()];
}

O random_options(std::mt19937& random, const char* format) {
  O options{.format = format,
            .header = any_of(random, {O::Header::automatic, O::Header::yes, O::Header::no}),
            .invalid = any_of(random, {O::Invalid::refuse, O::Invalid::replace}),
            .empty = any_of(random, {O::Empty::refuse, O::Empty::keep, O::Empty::skip}),
            .quotes = any_of(random, {O::Quotes::automatic, O::Quotes::yes, O::Quotes::no}),
            .most_bytes = any_of<int64_t>(random, {1 << 20, 1 << 20, 40, 7})};
  const char* const columns[] = {"text", "label", "1", "2", "label.x", "label.x.1", "en"};
  for (auto n = random() % 5; n > 2; --n) options.columns.push_back(columns[random() % std::size(columns)]);
  return options;
}

struct Outcome {
  Rows rows;
  std::vector<int64_t> lines;
  std::string error;
  bool operator==(const Outcome&) const = default;
};

Outcome outcome_of(const std::string& path, O options, int64_t piece) {
  Outcome outcome;
  options.piece_bytes = piece;
  try {
    RecordReader reader({path}, options);
    while (const auto record = reader.next()) {
      outcome.rows.push_back(record->fields);
      outcome.lines.push_back(record->place.line);
      if (record->fields.size() != reader.columns().size()) outcome.error += "(another number of fields)";
    }
  } catch (const FileError& error) {
    outcome.error = error.what();
  }
  return outcome;
}

}  // namespace

TEST_CASE("records: fuzzed files are read or refused with their place, the same however they are cut") {
  const char* const asked = std::getenv("WEFT_FUZZ_SECONDS");
  const double seconds = asked == nullptr ? 0.1 : std::atof(asked);
  const Folder folder;
  for (const Fuzzed& fuzzed : all_fuzzed) {
    std::mt19937 random(7);
    int64_t files = 0, refused = 0, records = 0;
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (std::chrono::steady_clock::now() < end) {
      const bool pairs = std::string(fuzzed.format) == "pairs";
      const std::string content = mutated(random, fuzzed), path = folder.write("a.en", content);
      const O options = random_options(random, fuzzed.format);
      const std::string paths = pairs ? path + "," + folder.write("a.fr", mutated(random, fuzzed)) : path;
      const Outcome whole = outcome_of(paths, options, 1 << 12);
      const int64_t piece = 4 + static_cast<int64_t>(random() % 30);
      ++files;
      refused += !whole.error.empty();
      records += static_cast<int64_t>(whole.rows.size());
      CAPTURE(std::string(fuzzed.format));
      CAPTURE(content);
      REQUIRE(outcome_of(paths, options, piece).error == whole.error);
      REQUIRE(outcome_of(paths, options, piece) == whole);
      REQUIRE((whole.error.empty() || whole.error.starts_with(folder.name() + "/")));
      for (const Row& row : whole.rows)
        for (const std::string& field : row) {
          REQUIRE_NOTHROW(characters_of(field));
          REQUIRE(field.find('\0') == field.npos);
          REQUIRE((options.empty == O::Empty::keep || !field.empty()));
        }
    }
    CHECK(refused > 0);
    CHECK(records > 0);
    if (asked != nullptr)
      MESSAGE(std::string(fuzzed.format)
              << ": " << files << " files, " << refused << " refused, " << records << " records");
  }
}

}  // namespace weft::test
