#include <doctest/doctest.h>
#include <weft/data/text/document_reader.h>
#include <weft/lib/base/error.h>

#include "folder.h"

using namespace weft;

namespace {

struct Found {
  std::string text;
  size_t file;
  int64_t line;
  bool operator==(const Found&) const = default;
};

/// Documents, put together of their pieces.
std::vector<Found> documents_of(const TextFiles& files, DocumentReader::Options options = {}) {
  DocumentReader reader(files, options);
  std::vector<Found> all;
  while (const auto piece = reader.next()) {
    if (piece->begins) all.push_back({"", piece->file, piece->line});
    all.back().text += piece->text;
  }
  return all;
}

std::string hash_of(const TextFiles& files) {
  DocumentReader reader(files, {});
  while (reader.next()) continue;
  return reader.content_hash();
}

}  // namespace

TEST_CASE("files are one document, or each is") {
  const Folder folder;
  const std::vector<std::string> paths{folder.write("a", "one\r\ntwo\n"), folder.write("b", ""),
                                       folder.write("c", "three")};
  for (const int64_t piece : {4, 5, 1000}) {
    CHECK(documents_of({.paths = paths}, {.piece_bytes = piece}) ==
          std::vector<Found>{{"one\r\ntwo\nthree", 0, 1}});
    CHECK(documents_of({.paths = paths, .newlines = Newlines::lf, .by_file = true}, {.piece_bytes = piece}) ==
          std::vector<Found>{{"one\ntwo\n", 0, 1}, {"three", 2, 1}});
  }
}

TEST_CASE("pieces say their line") {
  const Folder folder;
  DocumentReader reader({.paths = {folder.write("a", "a\nb\nc\nd\n")}}, {.piece_bytes = 4});
  CHECK(reader.next()->line == 1);
  CHECK(reader.next()->line == 3);
  CHECK_FALSE(reader.next().has_value());
  CHECK(reader.text_bytes() == 8);
  CHECK(reader.documents() == 1);
}

TEST_CASE("what names the content knows where documents are cut, if they are") {
  const Folder folder;
  const std::string ab = folder.write("ab", "ab"), c = folder.write("c", "c"), a = folder.write("a", "a"),
                    bc = folder.write("bc", "bc"), abc = folder.write("abc", "abc");
  CHECK(hash_of({.paths = {ab, c}}) == hash_of({.paths = {a, bc}}));
  CHECK(hash_of({.paths = {abc}, .by_file = true}) == hash_of({.paths = {abc}}));
  CHECK(hash_of({.paths = {ab, c}, .by_file = true}) != hash_of({.paths = {a, bc}, .by_file = true}));
  CHECK(hash_of({.paths = {ab, c}, .by_file = true}) != hash_of({.paths = {abc}, .by_file = true}));
}

TEST_CASE("records are documents, of one column") {
  const Folder folder;
  const std::string path = folder.write("a.csv", "story,label\n\"one\ntwo\",x\nthree,y\n");
  RecordOptions options{.columns = {"story"}};
  CHECK(documents_of({.paths = {path}, .records = options}) ==
        std::vector<Found>{{"one\ntwo", 0, 2}, {"three", 0, 4}});
  CHECK_THROWS_WITH_AS(
      documents_of({.paths = {path}, .records = RecordOptions{}}),
      (path + ": its records have 2 columns (story, label); text=COLUMN says which holds the text").c_str(),
      ValueError);
  const std::string lines = folder.write("a.jsonl", "{\"t\": \"\"}\n{\"t\": \"x\"}\n");
  options = {.columns = {"t"}, .empty = RecordOptions::Empty::keep};
  CHECK(documents_of({.paths = {lines}, .records = options}) == std::vector<Found>{{"", 0, 1}, {"x", 0, 2}});
}

TEST_CASE("documents that are not wanted are passed over, and still tell what the content is") {
  const Folder folder;
  std::vector<std::string> paths;
  for (int i = 0; i < 4; ++i) paths.push_back(folder.write(str(i), str("text ", i)));
  const TextFiles files{.paths = paths, .by_file = true};
  const auto odd = [](int64_t document) { return document % 2 == 1; };
  CHECK(documents_of(files, {.piece_bytes = 4, .wanted = odd}) ==
        std::vector<Found>{{"text 1", 1, 1}, {"text 3", 3, 1}});
  DocumentReader reader(files, {.wanted = odd});
  while (reader.next()) continue;
  CHECK(reader.content_hash() == hash_of(files));
  CHECK(reader.documents() == 4);
}
