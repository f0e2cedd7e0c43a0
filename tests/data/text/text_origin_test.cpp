#include <doctest/doctest.h>
#include <weft/data/dataset.h>
#include <weft/data/text/text_origin.h>
#include <weft/lib/base/error.h>

#include <algorithm>

#include "folder.h"

using namespace weft;

namespace {

TextOrigin origin_of(const TextFiles& files, const TokenizedText& text) {
  return {files, {}, TextPart::all, text};
}

}  // namespace

TEST_CASE("tokens lie in the line and byte where they were read, in any order asked") {
  const Folder folder;
  std::string content;
  for (int i = 0; content.size() < 200000; ++i) content += str("line ", i, "\n");
  const std::string a = folder.write("a", content), b = folder.write("b", "one\ntwo\n");
  for (const bool by_file : {false, true}) {
    const TextFiles files{.paths = {a, b}, .by_file = by_file};
    const TokenizedText text = tokenize_files({a, b}, {.by_file = by_file});
    const TextOrigin origin = origin_of(files, text);
    const auto size = static_cast<int64_t>(content.size());
    const int64_t in_b = size + (by_file ? 1 : 0) + 5;
    const std::vector<TokenPlace> found = origin.places(std::vector<int64_t>{in_b, 150000, 3, 150000});
    CHECK(found[0] == TokenPlace{b, 2, 5});
    const auto lines = std::count(content.begin(), content.begin() + 150000, '\n');
    CHECK(found[1] == TokenPlace{a, lines + 1, 150000});
    CHECK(found[2] == TokenPlace{a, 1, 3});
    CHECK(found[3] == found[1]);
    if (by_file)
      CHECK(origin.places(std::vector<int64_t>{size})[0] ==
            TokenPlace{a, 1 + std::count(content.begin(), content.end(), '\n'), size});
  }
}

TEST_CASE("tokens of records lie in the line of the record, of parts too") {
  const Folder folder;
  std::string lines = "t\n";
  for (int i = 0; i < 300; ++i) lines += str("record ", i, "\n");
  const std::string path = folder.write("a.csv", lines);
  const TextFiles files{.paths = {path}, .records = RecordOptions{.columns = {"t"}}};
  const TextScan scan = scan_text(files, {.validation = 0.1});
  const auto tokenizer = learn_tokenizer("char", {}, {{files, scan}}, true);
  const TokenizedText text =
      encode_text(files, scan, tokenizer, {.part = TextPart::validation, .ends = true});
  const TextOrigin origin(files, scan.validates, TextPart::validation, text);
  std::vector<int64_t> asked, wanted;
  for (int64_t i = 0; i < text.documents.size(); ++i) asked.push_back(text.documents[i].begin + 2);
  for (size_t i = 0; i < scan.validates.size(); ++i)
    if (scan.validates[i]) wanted.push_back(static_cast<int64_t>(i) + 2);
  const std::vector<TokenPlace> found = origin.places(asked);
  REQUIRE(found.size() == wanted.size());
  for (size_t i = 0; i < found.size(); ++i) CHECK(found[i] == TokenPlace{path, wanted[i], -1});
}

TEST_CASE("windows say where they begin and end") {
  const Folder folder;
  const std::string path = folder.write("a", "ab\ncd\nef\ngh\nij\nkl\n");
  const TokenizedText text = tokenize_files({path}, {});
  TokenRange range = all_tokens(text.tokens);
  const TokenDataset silent(range, 4, 1);
  CHECK(silent.places(0, 2) == std::vector<std::vector<SamplePlace>>(2));
  range.origin = std::make_shared<TextOrigin>(origin_of({.paths = {path}}, text));
  const TokenDataset dataset(range, 4, 1);
  const auto places = dataset.places(3, 5);
  REQUIRE(places.size() == 5);
  for (size_t i = 0; i < 5; ++i) {
    const int64_t begin = dataset.window_begin(3 + static_cast<int64_t>(i));
    REQUIRE(places[i].size() == 1);
    CHECK(places[i][0].first == TokenPlace{path, begin / 3 + 1, begin});
    CHECK(places[i][0].last == TokenPlace{path, (begin + 4) / 3 + 1, begin + 4});
  }
}

TEST_CASE("a file that has been cut since is told") {
  const Folder folder;
  const std::string path = folder.write("a", "abcdef");
  const TokenizedText text = tokenize_files({path}, {});
  const TextOrigin origin = origin_of({.paths = {path}}, text);
  folder.write("a", "abc");
  CHECK_THROWS_AS(origin.places(std::vector<int64_t>{5}), FileError);
}
