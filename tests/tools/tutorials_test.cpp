// The tutorials in docs/: what they tell to type is typed, in a new folder for each page, and prints what they show.
//
//   ```console       a line that begins with "$ " is typed into a shell, with the programs of this build in its PATH, and
//                    those below it are what it prints, standard output and error as they come: exactly, but that a line
//                    of ... stands for any lines, and ... in a line for any text. It ends with 0, unless the last of
//                    them is [exit 2].
//   ```LANGUAGE FILE is written into the folder, behind what the page has put into the file before.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "program.h"

namespace {

namespace fs = std::filesystem;

struct Command {
  size_t line;  ///< of the page
  std::string typed;
  std::vector<std::string> shown;
  int code = 0;
};

struct Block {
  size_t line;
  std::string language, file;
  std::vector<std::string> lines;
};

std::string read_page(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string joined_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::vector<Block> blocks_of(const std::string& page) {
  std::vector<Block> blocks;
  bool inside = false;
  size_t number = 0;
  for (const std::string& line : lines_of(page)) {
    ++number;
    if (line.starts_with("```")) {
      inside = !inside;
      if (!inside) continue;
      const size_t space = std::min(line.find(' '), line.size());
      blocks.push_back(
          {number, line.substr(3, space - 3), line.substr(std::min(space + 1, line.size())), {}});
    } else if (inside) {
      blocks.back().lines.push_back(line);
    }
  }
  REQUIRE(!inside);
  return blocks;
}

std::vector<Command> commands_of(const Block& block) {
  std::vector<Command> commands;
  size_t number = block.line;
  bool goes_on = false;
  for (const std::string& line : block.lines) {
    ++number;
    if (line.starts_with("$ "))
      commands.push_back({number, line.substr(2), {}});
    else if (goes_on)
      commands.back().typed += "\n" + line;
    else if (REQUIRE(!commands.empty()); line.starts_with("[exit "))
      commands.back().code = std::stoi(line.substr(6));
    else
      commands.back().shown.push_back(line);
    goes_on = commands.back().shown.empty() && line.ends_with('\\');
  }
  return commands;
}

/// Whether a line is as it is shown, where ... is any text.
bool is_like(std::string_view line, std::string_view shown) {
  const size_t dots = shown.find("...");
  if (dots == shown.npos) return line == shown;
  if (line.substr(0, dots) != shown.substr(0, dots)) return false;
  const std::string_view rest = shown.substr(dots + 3);
  for (size_t at = dots; at <= line.size(); ++at)
    if (is_like(line.substr(at), rest)) return true;
  return false;
}

/// The first line that is shown and not there; none when all are. A line of ... is any lines.
std::optional<std::string> first_missing(const std::vector<std::string>& lines,
                                         const std::vector<std::string>& shown) {
  size_t at = 0;
  bool any = false;
  for (const std::string& wanted : shown) {
    if (wanted == "...") {
      any = true;
      continue;
    }
    while (any && at < lines.size() && !is_like(lines[at], wanted)) ++at;
    if (at == lines.size() || !is_like(lines[at], wanted)) return wanted;
    ++at;
    any = false;
  }
  if (!any && at < lines.size()) return "the end, not " + lines[at];
  return {};
}

/// weft as it is installed, for what is compiled; once for all pages.
std::string installed() {
  static const Folder prefix;
  static const bool done = [] {
    Program::Options cmake;
    cmake.program = WEFT_CMAKE;
    const Result result = run_weft(
        prefix, {"--install", WEFT_BINARY_DIR, "--prefix", prefix.name(), "--component", "library"}, cmake);
    REQUIRE_MESSAGE(result.code == 0, result.err);
    return true;
  }();
  for (const auto& entry : fs::recursive_directory_iterator(prefix.name()))
    if (done && entry.path().filename() == "weft.pc") return entry.path().parent_path().string();
  FAIL("no weft.pc in ", prefix.name());
  return {};
}

void run_page(const Folder& folder, const Command& command) {
  Program::Options shell;
  shell.program = "bash";
  shell.environment = {"PATH=" + fs::path(WEFT_PROGRAM).parent_path().string() + ":" + std::getenv("PATH")};
  if (contains(command.typed, "pkg-config")) shell.environment.push_back("PKG_CONFIG_PATH=" + installed());
  const Result result = run_weft(folder, {"-c", "exec 2>&1\n" + command.typed}, shell);
  INFO("line ", command.line, ": ", command.typed, "\nprints\n", result.out);
  CHECK(result.code == command.code);
  const auto missing = first_missing(lines_of(result.out), command.shown);
  CHECK_MESSAGE(!missing, "what is shown goes on with: ", missing.value_or(""));
}

/// Types what a page tells, and gives the folder to look at.
void follow(const Folder& folder, const std::string& name) {
  const std::string page = read_page(fs::path(WEFT_SOURCE_DIR) / "docs" / name);
  size_t typed = 0;
  for (const Block& block : blocks_of(page)) {
    CAPTURE(name);
    if (block.language == "console") {
      for (const Command& command : commands_of(block)) run_page(folder, command);
      ++typed;
    } else if (!block.file.empty()) {
      folder.with(block.file, folder.read(block.file) + joined_lines(block.lines));
    }
  }
  CHECK(typed > 0);
}

/// A picture of docs/ is what the programs made.
void check_picture(const Folder& folder, const std::string& made, const std::string& shown) {
  const bool same = folder.read(made) == read_page(fs::path(WEFT_SOURCE_DIR) / "docs" / shown);
  CHECK_MESSAGE(same, made, " is not docs/", shown);
}

}  // namespace

TEST_CASE("how a page is compared with what is printed") {
  CHECK(is_like("12 tokens/s  0 s left", "... tokens/s  ... left"));
  CHECK(is_like("a", "..."));
  CHECK_FALSE(is_like("12 tokens/s", "... tokens/h"));
  CHECK_FALSE(is_like("loss 1.25", "loss 1.2"));
  using Lines = std::vector<std::string>;
  CHECK_FALSE(first_missing(Lines{"a", "b", "c"}, Lines{"a", "...", "c"}).has_value());
  CHECK_FALSE(first_missing(Lines{"a"}, Lines{"a", "..."}).has_value());
  CHECK(first_missing(Lines{"a", "b"}, Lines{"a"}).has_value());
  CHECK(first_missing(Lines{"a", "b"}, Lines{"b"}).has_value());
  CHECK(first_missing(Lines{"a"}, Lines{"a", "b"}).has_value());
  const auto blocks =
      blocks_of("text\n```console\n$ one \\\n  more\nout\n[exit 2]\n$ two\n```\n```cpp a.cpp\nint;\n```\n");
  REQUIRE(blocks.size() == 2);
  const auto commands = commands_of(blocks[0]);
  REQUIRE(commands.size() == 2);
  CHECK(commands[0].typed == "one \\\n  more");
  CHECK(commands[0].shown == Lines{"out"});
  CHECK(commands[0].code == 2);
  CHECK(commands[0].line == 3);
  CHECK(commands[1].typed == "two");
  CHECK(blocks[1].file == "a.cpp");
}

TEST_CASE("tutorial: first-model") {
  const Folder folder;
  follow(folder, "first-model.md");
  check_picture(folder, "runs/stories/loss.svg", "first-model.svg");
}
TEST_CASE("tutorial: own-data") { follow(Folder(), "own-data.md"); }
TEST_CASE("tutorial: stop-and-resume") { follow(Folder(), "stop-and-resume.md"); }
#ifndef __SANITIZE_ADDRESS__  // with which their programs would have to be built, too
TEST_CASE("tutorial: own-layer") { follow(Folder(), "own-layer.md"); }
TEST_CASE("tutorial: own-model") { follow(Folder(), "own-model.md"); }
TEST_CASE("tutorial: from-pytorch") { follow(Folder(), "from-pytorch.md"); }
#endif

TEST_CASE("every page that tells what to type is followed here") {
  const std::string test = read_page(fs::path(WEFT_SOURCE_DIR) / "tests/tools/tutorials_test.cpp");
  const std::string readme = read_page(fs::path(WEFT_SOURCE_DIR) / "README.md");
  for (const auto& entry : fs::directory_iterator(fs::path(WEFT_SOURCE_DIR) / "docs")) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".md" || !contains(read_page(entry.path()), "```console")) continue;
    CHECK_MESSAGE(contains(test, "\"" + name + "\""), name);
    CHECK_MESSAGE(contains(readme, "docs/" + name), name);
  }
}
