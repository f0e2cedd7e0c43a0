#include <doctest/doctest.h>
#include <weft/train/files/step_lines.h>

#include <filesystem>

#include "checks.h"
#include "faults.h"
#include "folder.h"

namespace weft::test {
namespace {

const std::string three = "{\"step\":0,\"text\":\"a\"}\n{\"step\":250}\n{\"step\":500,\"text\":\"b\\nc\"}\n";

/// What is left of a file that is taken up before step `end`.
std::string left(const Folder& folder, const std::string& text, int64_t end, int64_t unreadable = 0) {
  const std::string path = folder.write("lines", text);
  const StepLines lines(HeldFolder(folder.name()), path, end);
  CHECK(lines.unreadable() == unreadable);
  return folder.read("lines");
}

}  // namespace

TEST_CASE("step lines: they are cut where the run goes on") {
  const Folder folder;
  const HeldFolder held(folder.name());
  CHECK(left(folder, three, 501) == three);
  CHECK(left(folder, three, 500) == three.substr(0, three.find("{\"step\":500")));
  CHECK(left(folder, three, 250) == three.substr(0, three.find("{\"step\":250")));
  CHECK(left(folder, three, 0).empty());
  CHECK_FALSE(std::filesystem::exists(folder.path("lines")));  // as of a run that has shown nothing yet

  folder.write("lines", three);
  StepLines lines(held, folder.path("lines"), 400);
  CHECK(lines.last_step() == 250);
  refuses<ValueError>([&] { lines.add(held, 250, "{\"step\":250}"); },
                      {"a line of step 250 behind one of step 250"});
  lines.add(held, 500, "{\"step\":500,\"text\":\"b\\nc\"}");
  CHECK(lines.last_step() == 500);
  CHECK(folder.read("lines") == three);
  lines.sync();
}

TEST_CASE("step lines: the file is made with the first line") {
  const Folder folder;
  const HeldFolder held(folder.name());
  StepLines lines(held, folder.path("lines"), 0);
  CHECK(lines.last_step() == -1);
  lines.sync();
  CHECK(folder.files().empty());
  lines.add(held, 0, "{\"step\":0}");
  CHECK(folder.read("lines") == "{\"step\":0}\n");
}

TEST_CASE("step lines: what is no line of them is cut out") {
  const Folder folder;
  CHECK(left(folder, three + "{\"step\":750,\"te", 1000, 1) == three);
  CHECK(left(folder, three.substr(0, three.size() - 1), 1000) == three);  // the newline alone is lost
  CHECK(left(folder, "{\"step\":1}\n{\"step\":1,\"text\":\"again\"}\n", 10, 1) == "{\"step\":1}\n");
  CHECK(left(folder, "none\n\n" + three + "[]\n{\"text\":\"a\"}\n{\"step\":-1}\n{\"step\":7.5}\n", 1000, 6) ==
        three);
  CHECK(left(folder, std::string("\0\0\0\n", 4) + three, 1000, 1) == three);
  CHECK(left(folder, "{\"step\":99999999999999999999}\n", 1000, 1).empty());
  // Longer than what other files of lines may hold, as statistics are.
  const std::string text = "{\"step\":1,\"text\":\"" + std::string(1 << 20, 'x') + "\"}\n";
  CHECK(left(folder, text, 2) == text);
  // A hole of zeros, as a file system may leave after a power cut.
  folder.write("lines", three);
  std::filesystem::resize_file(folder.path("lines"), uint64_t{1} << 43);
  const StepLines lines(HeldFolder(folder.name()), folder.path("lines"), 1000);
  CHECK(folder.read("lines") == three);
  CHECK(lines.unreadable() == 1);
}

TEST_CASE("step lines: what cannot be written is an error, and the file stays as it was") {
  const Folder folder;
  const HeldFolder held(folder.name());
  const std::string path = folder.write("lines", three);
  {
    const Faults faults({.call = "write"});
    CHECK_THROWS_AS(StepLines(held, path, 300), FileError);
  }
  CHECK(folder.read("lines") == three);
  std::filesystem::create_directory(folder.path("folder"));
  CHECK_THROWS_AS(StepLines(held, folder.path("folder"), 1), FileError);
}

}  // namespace weft::test
