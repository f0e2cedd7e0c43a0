#include <doctest/doctest.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/held_folder.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "checks.h"
#include "faults.h"
#include "folder.h"

namespace weft::test {

namespace fs = std::filesystem;

TEST_CASE("held folder: what is done through it is done in it, whatever its name has come to mean") {
  const Folder folder;
  const std::string path = folder.path("a");
  fs::create_directory(path);
  HeldFolder held(path);
  CHECK(held.is_named());
  fs::rename(path, folder.path("b"));
  CHECK_FALSE(held.is_named());
  fs::create_directory(path);
  CHECK_FALSE(held.is_named());
  write_file(held, path + "/x", std::string_view("1"));
  held.make_folder(path + "/below");
  held.make_folder(path + "/below");
  held.rename(path + "/x", path + "/below/y");
  CHECK(folder.read("b/below/y") == "1");
  held.remove(path + "/below/y");
  held.remove(path + "/below/y");
  CHECK(fs::is_empty(folder.path("b/below")));
  CHECK(fs::is_empty(path));
  held.call(folder.path("b"));
  CHECK(held.is_named());
  fs::remove_all(folder.path("b"));
  refuses<FileError>([&] { write_file(held, folder.path("b/z"), std::string_view("2")); },
                     {"b/z: ", "no such file"});
}

TEST_CASE("held folder: paths that do not lie below it, and what stands in the way, are refused by name") {
  const Folder folder;
  const HeldFolder held(folder.name());
  CHECK(held.below(folder.path("a/b")) == "a/b");
  CHECK(held.below(folder.name() + "//a") == "a");
  for (const std::string& other :
       {std::string("/etc/passwd"), folder.name() + "x/a", folder.path("a/"), std::string("a")})
    refuses<ValueError>([&] { held.below(other); }, {other, "does not lie in " + folder.name()});
  folder.write("file", "");
  refuses<FileError>([&] { held.make_folder(folder.path("file")); }, {"file: is not a folder"});
  refuses<FileError>([&] { held.rename(folder.path("none"), folder.path("x")); },
                     {"none: cannot be renamed to "});
  refuses<FileError>([&] { HeldFolder(folder.path("file")); }, {"file: the folder cannot be opened"});
  const Faults faults({.call = "unlink", .error = EIO});
  refuses<FileError>([&] { held.remove(folder.path("file")); }, {"file: cannot be removed: "});
}

TEST_CASE("held folder: two folders change places in one step") {
  const Folder folder;
  folder.with("a/x", "of a").with("b/x", "of b");
  if (!exchange_folders(folder.path("a"), folder.path("b"))) {
    MESSAGE("this file system cannot");
    return;
  }
  CHECK(folder.read("a/x") == "of b");
  CHECK(folder.read("b/x") == "of a");
  refuses<FileError>([&] { exchange_folders(folder.path("a"), folder.path("none")); },
                     {"none: cannot change places"});
  {
    const Faults faults({.call = "exchange", .error = EINVAL});
    CHECK_FALSE(exchange_folders(folder.path("a"), folder.path("b")));
  }
  CHECK_NOTHROW(sync_folder(folder.name()));
  const Faults faults({.call = "fsync", .error = EIO});
  refuses<FileError>([&] { sync_folder(folder.name()); }, {"cannot be synced"});
}

}  // namespace weft::test
