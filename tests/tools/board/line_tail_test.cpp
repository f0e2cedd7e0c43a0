// A file of lines that grows, is cut, replaced, removed.
#include <doctest/doctest.h>
#include <weft/tools/board/line_tail.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "folder.h"

namespace weft::tools {
namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

constexpr size_t longest = 100;

/// What a tail has handed out since the last look; "anew" and "too long" stand for what they say.
struct Reader {
  explicit Reader(const std::string& path) : tail(path, longest) {}
  Texts look(uint64_t most = 1 << 20) {
    Texts found;
    changed = tail.read([&] { found.emplace_back("anew"); },
                        [&](const LineTail::Line& line) {
                          found.emplace_back(line.too_long ? "too long" : line.text);
                          offsets.push_back(line.offset);
                        },
                        most);
    return found;
  }
  LineTail tail;
  bool changed = false;
  std::vector<uint64_t> offsets = {};
};

void append(const Folder& folder, const std::string& text) {
  std::ofstream(folder.path("log"), std::ios::binary | std::ios::app) << text;
}

}  // namespace

TEST_CASE("tail: lines come as they are whole, each once") {
  const Folder folder;
  Reader reader(folder.path("log"));
  CHECK(reader.look().empty());
  CHECK_FALSE(reader.tail.is_there());
  folder.write("log", "one\ntw");
  CHECK(reader.look() == Texts{"one"});
  CHECK(reader.changed);
  CHECK(reader.tail.unfinished() == 2);
  CHECK(reader.look().empty());
  CHECK_FALSE(reader.changed);
  append(folder, "o\n\nthree\n");
  CHECK(reader.look() == Texts{"two", "", "three"});
  CHECK(reader.offsets == std::vector<uint64_t>{0, 4, 8, 9});
  CHECK(reader.tail.unfinished() == 0);
  CHECK(reader.tail.at_end());
}

TEST_CASE("tail: a file that was replaced, cut or written over is read anew") {
  const Folder folder;
  Reader reader(folder.path("log"));
  folder.write("log", "one\ntwo\n");
  reader.look();
  folder.write("other", "one\ntwo\nthree\n");
  fs::rename(folder.path("other"), folder.path("log"));
  CHECK(reader.look() == Texts{"anew", "one", "two", "three"});
  folder.write("log", "one\n");  // the same file, shorter
  CHECK(reader.look() == Texts{"anew", "one"});
  folder.write("log", "ONE\nTWO\n");  // the same file, and longer than what was read
  CHECK(reader.look() == Texts{"anew", "ONE", "TWO"});
  CHECK(reader.look().empty());
}

TEST_CASE("tail: a file that goes and comes back") {
  const Folder folder;
  Reader reader(folder.path("log"));
  folder.write("log", "one\n");
  reader.look();
  fs::remove(folder.path("log"));
  CHECK(reader.look().empty());
  CHECK_FALSE(reader.tail.is_there());
  CHECK(reader.tail.error().empty());
  folder.write("log", "uno\n");
  CHECK(reader.look() == Texts{"anew", "uno"});
  reader.tail.forget();
  CHECK(reader.look() == Texts{"uno"});
}

TEST_CASE("tail: lines that are too long are told once, however they grow") {
  const Folder folder;
  Reader reader(folder.path("log"));
  folder.write("log", "one\n" + std::string(longest, 'x') + "\n" + std::string(longest + 1, 'x') + "\ntwo\n");
  CHECK(reader.look() == Texts{"one", std::string(longest, 'x'), "too long", "two"});
  append(folder, std::string(1000, 'y'));
  CHECK(reader.look() == Texts{"too long"});
  append(folder, std::string(1000, 'y'));
  CHECK(reader.look().empty());
  append(folder, "end\nthree\n");
  CHECK(reader.look() == Texts{"three"});
}

TEST_CASE("tail: much is read in pieces") {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 1000; ++i) text += std::to_string(1000 + i) + "\n";
  folder.write("log", text);
  Reader reader(folder.path("log"));
  size_t read = 0;
  int looks = 0;
  do {
    const Texts lines = reader.look(500);
    CHECK(lines.size() == 100);
    CHECK(lines.front() == std::to_string(1000 + read));
    read += lines.size();
    ++looks;
  } while (!reader.tail.at_end());
  CHECK(read == 1000);
  CHECK(looks == 10);
}

TEST_CASE("tail: what cannot be read is said and changes nothing") {
  const Folder folder;
  Reader reader(folder.path("log"));
  fs::create_directory(folder.path("log"));
  CHECK(reader.look().empty());
  CHECK(reader.tail.error().find("log") != std::string::npos);
  fs::remove(folder.path("log"));
  folder.write("log", "one\n");
  CHECK(reader.look() == Texts{"one"});
  CHECK(reader.tail.error().empty());
}

}  // namespace weft::tools
