#include <doctest/doctest.h>
#include <weft/train/files/run_paths.h>

#include <filesystem>
#include <string>
#include <vector>

#include "checks.h"
#include "folder.h"

namespace weft::test {
namespace {

namespace fs = std::filesystem;
using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("run paths: what is near is named from the run, all else from the root, and both are found") {
  const Folder folder;
  fs::create_directories(folder.path("p/runs/a"));
  fs::create_directories(folder.path("p/data"));
  const std::string run = folder.path("p/runs/a");
  const std::vector<std::pair<std::string, std::string>> named = {{"p/runs/a/x.txt", "x.txt"},
                                                                  {"p/runs/x.txt", "../x.txt"},
                                                                  {"p/x.txt", "../../x.txt"},
                                                                  {"p/data/x.txt", "../../data/x.txt"},
                                                                  {"p/data/../x.txt", "../../x.txt"}};
  for (const auto& [path, name] : named) {
    CHECK(path_from(run, folder.path(path)) == name);
    CHECK(path_at(run, name) == fs::path(folder.path(path)).lexically_normal().string());
  }
  for (const std::string& far : {folder.path("x.txt"), std::string("/x.txt")}) {
    CHECK(path_from(run, far) == far);
    CHECK(path_at(run, far) == far);
  }
  // The root is in common with everything.
  CHECK(path_from("/none-such", "/x.txt") == "/x.txt");
  CHECK(path_from("/none-such/run", "/x.txt") == "/x.txt");
}

TEST_CASE("run paths: of files side by side each is told, and found again") {
  const Folder folder;
  folder.with("p/data/a.en", "x").with("p/data/a.fr", "x").with("p/runs/r/x", "");
  const std::string both = folder.path("p/data/a.en") + "," + folder.path("p/data/a.fr"),
                    run = folder.path("p/runs/r");
  CHECK(path_from(run, both) == "../../data/a.en,../../data/a.fr");
  CHECK(path_at(run, "../../data/a.en,../../data/a.fr") == both);
  CHECK(absolute_path(both) == both);
  // What stands at one side of a comma alone is left to who reads it.
  CHECK(absolute_path(folder.path("p/data/a.en") + ",") == folder.path("p/data/a.en") + ",");
  CHECK(absolute_path("," + folder.path("p/data/a.en")) == "," + folder.path("p/data/a.en"));
  // A file that has a comma in its name is one.
  const std::string comma = folder.write("p/data/b,c.txt", "x");
  CHECK(path_from(run, comma) == "../../data/b,c.txt");
  CHECK(path_at(run, "../../data/b,c.txt") == comma);
  std::string said;
  const Say say = [&](std::string_view line) { said += line; };
  const Paths gone{"/old/data/a.en,/old/data/a.fr"};
  CHECK(data_found({run}, gone, "--data", true, say) == Paths{both});
  CHECK(said.find(both) != std::string::npos);
  fs::remove(folder.path("p/data/a.fr"));
  refuses<FileError>([&] { data_found({run}, gone, "--val-data", true, say); },
                     {"/old/data/a.en,/old/data/a.fr: is not there", "--val-data FILE tells"});
}

TEST_CASE("run paths: through links, as the system goes") {
  const Folder folder;
  fs::create_directories(folder.path("big/runs/a"));
  fs::create_directories(folder.path("p"));
  fs::create_directory_symlink(folder.path("big/runs"), folder.path("p/runs"));
  folder.write("p/x.txt", "x");
  // p/runs/a/../../x.txt is big/x.txt to the system.
  const std::string name = path_from(folder.path("p/runs/a"), folder.path("p/x.txt"));
  CHECK(fs::exists(path_at(folder.path("p/runs/a"), name)));
  CHECK(fs::exists(path_at(folder.path("big/runs/a"), name)));
}

TEST_CASE(
    "run paths: what is gone is found by the run as it lay by its project, or refused with what to type") {
  const Folder folder;
  fs::create_directories(folder.path("new/runs/a"));
  fs::create_directories(folder.path("new/data"));
  const RunFolder run{folder.path("new/runs/a")};
  std::string said;
  const Say say = [&](std::string_view line) { said += line; };
  const Paths gone{"/nowhere/old/data/x.txt", "/nowhere/old/data/y z.txt"};
  refuses<FileError>([&] { data_found(run, gone, "--data", true, say); },
                     {"/nowhere/old/data/x.txt: is not there", "new/runs/a/config.toml", "--data FILE"});
  const Paths now{folder.write("new/data/x.txt", "x"), folder.write("new/data/y z.txt", "y")};
  folder.write("new/x.txt", "a shorter end of the path");
  CHECK(data_found(run, gone, "--data", true, say) == now);
  CHECK(said == str(gone[0], " is not there; read instead: ", now[0], " '", now[1], "'"));
  refuses<FileError>([&] { data_found(run, gone, "--data", false, say); },
                     {str("there is --data ", now[0], " '", now[1], "'")});
  said.clear();
  CHECK(data_found(run, now, "--data", false, say) == now);
  CHECK(data_found(run, {}, "--data", false, say).empty());
  CHECK(said.empty());
}

}  // namespace weft::test
