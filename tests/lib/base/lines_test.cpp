#include <doctest/doctest.h>
#include <weft/lib/base/lines.h>

#include <chrono>
#include <filesystem>
#include <vector>

#include "folder.h"

using namespace weft;

namespace {

struct Line {
  std::string text;
  bool too_long = false, newline = true;
  bool operator==(const Line&) const = default;
};

std::vector<Line> lines_of(const std::string& path) {
  std::vector<Line> all;
  for (LineReader lines(path); const auto line = lines.next();)
    all.push_back({std::string(*line), lines.was_too_long(), lines.had_newline()});
  return all;
}

}  // namespace

TEST_CASE("lines come one after the other, and the last needs no newline") {
  const Folder folder;
  const auto of = [&](const std::string& text) { return lines_of(folder.write("a", text)); };
  CHECK(of("").empty());
  CHECK(of("\n") == std::vector<Line>{{""}});
  CHECK(of("one\n\ntwo\r\n") == std::vector<Line>{{"one"}, {""}, {"two\r"}});
  CHECK(of("one\ntwo") == std::vector<Line>{{"one"}, {"two", false, false}});
  CHECK_THROWS_AS(lines_of(folder.path("none")), FileError);
}

TEST_CASE("lines of all lengths, over more than is read at once") {
  const Folder folder;
  const size_t most = LineReader::longest;
  std::string text;
  std::vector<Line> expected;
  const auto add = [&](size_t length) {
    const std::string line(length, static_cast<char>('a' + expected.size() % 26));
    text += line + "\n";
    expected.push_back(length > most ? Line{"", true} : Line{line});
  };
  for (size_t i = 0; i < 40; ++i) add(i * 997);
  for (const size_t length :
       {most - 1, most, most + 1, size_t{3}, 5 * most, size_t{0}, most, 40 * most, size_t{1}})
    add(length);
  CHECK(lines_of(folder.write("a", text)) == expected);
  CHECK(lines_of(folder.write("a", text + "end")).back() == Line{"end", false, false});
  CHECK(lines_of(folder.write("a", text + std::string(9 * most, 'x'))).back() == Line{"", true, false});
}

TEST_CASE("a line may have as many bytes as the reader is told") {
  const Folder folder;
  const std::string path = folder.write("a", "four\nfives\n" + std::string(100'000, 'x') + "\nend\n");
  std::vector<Line> found;
  LineReader few(path, 4), many(path, 100'000);
  while (const auto line = few.next()) found.push_back({std::string(*line), few.was_too_long()});
  CHECK(found == std::vector<Line>{{"four"}, {"", true}, {"", true}, {"end"}});
  for (int i = 0; i < 3; ++i) many.next();
  CHECK_FALSE(many.was_too_long());
  CHECK(*many.next() == "end");
}

TEST_CASE("lines are read on from where a reader was") {
  const Folder folder;
  const std::string path = folder.write("a", "one\n" + std::string(300'000, 'x') + "\n\ntwo\nrest");
  std::vector<uint64_t> begins{0};
  std::vector<std::string> texts;
  for (LineReader lines(path, 400'000); const auto line = lines.next();) {
    texts.emplace_back(*line);
    begins.push_back(lines.offset());
  }
  CHECK(begins == std::vector<uint64_t>{0, 4, 300'005, 300'006, 300'010, 300'014});
  for (size_t i = 0; i < texts.size(); ++i) CHECK(*LineReader(path, 400'000, begins[i]).next() == texts[i]);
  CHECK_FALSE(LineReader(path, 10, begins.back()).next());
  CHECK_FALSE(LineReader(path, 10, begins.back() + 1000).next());
}

TEST_CASE("a hole in a file is not read") {
  const Folder folder;
  const std::string path = folder.write("a", "one\n");
  std::filesystem::resize_file(path, uint64_t{1} << 43);
  const auto start = std::chrono::steady_clock::now();
  CHECK(lines_of(path) == std::vector<Line>{{"one"}, {"", true, false}});
  const InputFile file(path);
  CHECK(file.data_from(0) == 0);
  CHECK(file.data_from(uint64_t{1} << 42) == file.size());
  // 8 TiB: more than can be read meanwhile.
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
}
