#include <doctest/doctest.h>
#include <weft/lib/base/advice.h>
#include <weft/train/files/near_paths.h>

#include <filesystem>
#include <functional>

#include "folder.h"

namespace weft::test {

namespace {

/// What is advised by the error that `work` ends with.
Advice advised(const std::function<void()>& work) {
  try {
    work();
  } catch (const FileError& error) {
    return advice_of(error);
  }
  FAIL("nothing was refused");
  return {};
}

}  // namespace

TEST_CASE("models of a folder: runs and files, the newest first") {
  const Folder folder;
  folder.with("old/config.toml", "").with("new/best.h5", "").with("alone.h5", "").with("text.txt", "");
  const auto now = std::filesystem::file_time_type::clock::now();
  std::filesystem::last_write_time(folder.path("old"), now - std::chrono::hours(2));
  std::filesystem::last_write_time(folder.path("alone.h5"), now - std::chrono::hours(1));
  CHECK(models_in(folder.name()) ==
        std::vector<std::string>{folder.path("new"), folder.path("alone.h5"), folder.path("old")});
  CHECK(models_in(folder.path("nowhere")).empty());
}

TEST_CASE("a model that is not there: the nearest name, else the newest, is meant") {
  const Folder folder;
  folder.with("runs/first/config.toml", "").with("runs/second/config.toml", "");
  std::filesystem::last_write_time(folder.path("runs/first"),
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  const auto meant = [&](const std::string& path) {
    return advised([&] { fail_without_model(folder.path(path)); }).meant;
  };
  using Paths = std::vector<std::string>;
  CHECK(meant("runs/frist") == Paths{folder.path("runs/first")});
  CHECK(meant("runs/other") == Paths{folder.path("runs/second")});
  CHECK(meant("runs") == Paths{folder.path("runs/second")});
}

TEST_CASE("files that are not there: a name is near by more than its ending") {
  const Folder folder;
  folder.with("stories.txt", "text").with("books/a.txt", "text");
  const auto look = [&](const std::string& path) {
    return [&folder, path] { check_files_there("--data", {folder.path(path)}); };
  };
  CHECK(advised(look("storie.txt")).meant == std::vector<std::string>{folder.path("stories.txt")});
  CHECK(advised(look("other.txt")).meant.empty());
  CHECK_FALSE(advised(look("other.txt")).lines.empty());
  CHECK_FALSE(advised(look("*.csv")).lines.empty());
  CHECK_NOTHROW(look("stories.txt")());
  CHECK_NOTHROW(look("books")());
  CHECK_NOTHROW(look("*.txt")());
  CHECK_NOTHROW(look("stories.txt:3")());
}

}  // namespace weft::test
