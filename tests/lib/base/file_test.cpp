#include <doctest/doctest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/held_folder.h>

#include <cerrno>
#include <set>
#include <thread>

#include "faults.h"
#include "folder.h"

using namespace weft;

namespace {

std::string text_of(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

/// What f throws, as text; empty when it throws nothing.
template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const FileError& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a file is read whole or by parts") {
  const Folder folder;
  const std::string path = folder.write("a", "0123456789");
  CHECK(read_text(path) == "0123456789");
  CHECK(text_of(read_file(path)) == "0123456789");
  CHECK(read_text(folder.write("empty", "")).empty());
  const InputFile file(path);
  CHECK(file.size() == 10);
  std::vector<uint8_t> part(4);
  file.read(3, part);
  CHECK(text_of(part) == "3456");
  file.read(6, part);
  CHECK(text_of(part) == "6789");
  file.read(10, std::span<uint8_t>());
  CHECK(error_of([&] { file.read(7, part); }) ==
        path + ": ends at byte 10, though 11 were expected: something cut it short while it was read");
}

TEST_CASE("what cannot be read is refused with path and reason") {
  const Folder folder;
  CHECK(error_of([&] { read_file(folder.path("none")); }) ==
        folder.path("none") + ": cannot be opened: there is no such file or folder");
  CHECK(error_of([&] { read_file(folder.name()); }) == folder.name() + ": is a folder, not a file");
  CHECK(error_of([&] { read_file("/dev/zero"); }) == "/dev/zero: is not a regular file");
  CHECK(error_of([&] { read_file(folder.write("file", "") + "/below"); }) ==
        folder.path("file/below") + ": cannot be opened: Not a directory");
  REQUIRE(::mkfifo(folder.path("pipe").c_str(), 0600) == 0);
  CHECK(error_of([&] { read_file(folder.path("pipe")); }) == folder.path("pipe") + ": is not a regular file");
  CHECK_THROWS_AS(read_file(""), FileError);
  CHECK_THROWS_AS(read_file(std::string(5000, 'x')), FileError);
  const Faults faults({.call = "open", .error = EACCES});
  CHECK(error_of([&] { read_file(folder.path("file")); }) ==
        folder.path("file") + ": cannot be opened: no permission");
}

TEST_CASE("a file that is too large is refused before it is read") {
  const Folder folder;
  const std::string path = folder.write("a", "0123456789");
  CHECK(read_text(path, 10) == "0123456789");
  CHECK(error_of([&] { read_text(path, 9); }) ==
        path + ": holds 10 bytes, more than the 9 that such a file may have");
  std::filesystem::resize_file(path, uint64_t{1} << 43);
  CHECK(error_of([&] { read_text(path); }) ==
        path + ": holds 8796093022208 bytes, more than the 67108864 that such a file may have");
  CHECK_THROWS_WITH_AS(read_file(path), (path + ": no memory for its 8796093022208 bytes").c_str(),
                       MemoryError);
}

TEST_CASE("a file is written and replaced whole, and nothing stays beside it") {
  const Folder folder;
  const std::string path = folder.path("a");
  write_file(path, std::string_view("first, the longer one"));
  write_file(path, std::string_view("second"));
  CHECK(folder.read("a") == "second");
  write_file(path, std::string_view());
  CHECK(folder.read("a").empty());
  AtomicFile file(path);
  file.write(std::string_view("in "));
  file.write(std::string_view());
  file.write(std::string_view("parts"));
  CHECK(file.size() == 8);
  CHECK(folder.read("a").empty());
  file.commit();
  CHECK(folder.read("a") == "in parts");
  CHECK(folder.files() == std::vector<std::string>{"a"});
  CHECK_THROWS_AS(file.commit(), StateError);
  CHECK_THROWS_AS(file.write(std::string_view("more")), StateError);
}

TEST_CASE("a name without a folder is written into the working folder") {
  const Folder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.name());
  const std::string error = error_of([] { write_file("plain", std::string_view("x")); });
  std::filesystem::current_path(before);
  CHECK(error.empty());
  CHECK(folder.read("plain") == "x");
}

TEST_CASE("data is on the disk and read back before the rename, the folder after it") {
  const Folder folder;
  static std::vector<std::string> calls;
  calls.clear();
  set_fault_hook([](const char* call, const std::string& path) {
    calls.push_back(std::string(call) + " " + std::filesystem::path(path).filename().string());
    return 0;
  });
  write_file(folder.path("a"), std::string_view("x"));
  set_fault_hook(nullptr);
  const std::string name = std::filesystem::path(folder.name()).filename().string();
  CHECK(calls == std::vector<std::string>{"open " + name, "open a.weft-partial", "lock a.weft-partial",
                                          "stat a", "stat a", "open a.weft-partial", "write a.weft-partial",
                                          "fsync a.weft-partial", "close a.weft-partial", "stat a", "read a",
                                          "rename a", "fsync " + name});
}

TEST_CASE("without commit nothing happens") {
  const Folder folder;
  folder.write("a", "old");
  {
    AtomicFile file(folder.path("a"));
    file.write(std::string_view("new"));
    CHECK(folder.files().size() == 2);
  }
  CHECK(folder.read("a") == "old");
  CHECK(folder.files().size() == 1);
}

TEST_CASE("what cannot be written to is refused with path and reason") {
  const Folder folder;
  const auto write_to = [](const std::string& path) {
    return error_of([&] { write_file(path, std::string_view("x")); });
  };
  CHECK(write_to(folder.name()) ==
        folder.name() + ": is a folder, so no file can be written there; give another path");
  CHECK(write_to("/dev/null") ==
        "/dev/null: is not a regular file, so no file can be written there; give another path");
  const std::string path = folder.path("none/a");
  CHECK(write_to(path) ==
        path + ": its folder " + folder.path("none") + " cannot be opened: there is no such file or folder");
  CHECK(write_to(folder.path("a/")) == "'" + folder.path("a/") + "': names no file to write; give one");
  CHECK(folder.files().empty());
}

TEST_CASE("two writers of one path: the second is refused, and what a killed one left is replaced") {
  const Folder folder;
  const std::string path = folder.write("a", "old");
  folder.write("a.weft-partial", "left by a process that was killed, longer than what comes");
  {
    AtomicFile first(path);
    first.write(std::string_view("first"));
    CHECK(error_of([&] { AtomicFile second(path); }) ==
          path + ": is being written by another process just now");
    CHECK(folder.files().size() == 2);
    first.commit();
  }
  CHECK(folder.read("a") == "first");
  CHECK(folder.files().size() == 1);
}

TEST_CASE("a temporary that its last writer renamed while we waited for it is not taken for ours") {
  const Folder folder;
  static std::string temporary;
  static int locks;
  temporary = folder.path("a.weft-partial");
  locks = 0;
  set_fault_hook([](const char* call, const std::string&) {
    if (std::string_view(call) == "lock" && ++locks == 1)
      ::rename(temporary.c_str(), (temporary + "-gone").c_str());
    return 0;
  });
  const std::string error = error_of([&] { write_file(folder.path("a"), std::string_view("mine")); });
  set_fault_hook(nullptr);
  CHECK(error.empty());
  CHECK(locks == 2);
  CHECK(folder.read("a") == "mine");
}

TEST_CASE("many writers of one path leave one of their files, whole") {
  const Folder folder;
  const std::string path = folder.path("a");
  {
    std::vector<std::jthread> threads;
    for (const char letter : {'a', 'b', 'c', 'd'})
      threads.emplace_back([&, letter] {
        for (int i = 0; i < 50; ++i) error_of([&] { write_file(path, std::string(3000, letter)); });
      });
  }
  const std::string content = folder.read("a");
  CHECK(content.size() == 3000);
  CHECK(std::set<char>(content.begin(), content.end()).size() == 1);
  CHECK(folder.files().size() == 1);
}

TEST_CASE("partial files are removed, but not those being written nor others") {
  const Folder folder;
  folder.write("old.h5.weft-partial", "x");
  folder.write("kept.h5", "x");
  AtomicFile busy(folder.path("busy"));
  remove_partial_files(folder.name());
  const std::vector<std::string> files = folder.files();
  CHECK(std::set<std::string>(files.begin(), files.end()) ==
        std::set<std::string>{"busy.weft-partial", "kept.h5"});
  CHECK_THROWS_AS(remove_partial_files(folder.path("none")), FileError);
}

TEST_CASE("a lock keeps others out while it lives") {
  const Folder folder;
  const std::string path = folder.path("lock");
  const HeldFolder held(folder.name());
  {
    const FileLock lock(held, path);
    CHECK(error_of([&] { FileLock second(held, path); }) ==
          path + ": another process holds this lock and works in the same folder; wait for it or stop it");
    const pid_t child = fork();
    if (child == 0) _exit(error_of([&] { FileLock third(held, path); }).empty() ? 1 : 0);
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  CHECK_NOTHROW(FileLock(held, path));
}

TEST_CASE("a call that a signal interrupts is made again") {
  const Folder folder;
  for (const char* call : {"open", "lock", "stat", "write", "fsync", "read", "rename"}) {
    CAPTURE(call);
    const Faults faults({.call = call, .for_good = false, .error = EINTR});
    CHECK(error_of([&] { write_file(folder.path("a"), std::string_view(call)); }).empty());
    CHECK(Faults::failed() == 1);
    CHECK(read_text(folder.path("a")) == call);
  }
}

TEST_CASE("a file system that cannot sync a folder is let pass, one that fails to is not") {
  const Folder folder;
  for (const int error : {EINVAL, ENOTSUP, EIO}) {
    const Faults faults({.call = "fsync", .first = 1, .error = error});
    const std::string told = error_of([&] { write_file(folder.path("a"), std::string_view("x")); });
    CHECK(Faults::failed() == 1);
    CHECK(told.empty() == (error != EIO));
  }
}

TEST_CASE("a change of the bytes behind our back is seen before the rename") {
  const Folder folder;
  const std::string path = folder.write("a", "old");
  AtomicFile file(path);
  file.write(std::string_view("new"));
  folder.write("a.weft-partial", "neu");
  CHECK(error_of([&] { file.commit(); }) ==
        path + ": the 3 bytes read back differ from the 3 written: the disk or its driver is failing");
  CHECK(folder.read("a") == "old");
}

TEST_CASE("digests: known values, and the cut does not matter") {
  // XXH3's own test vector for no bytes, seed 0.
  CHECK(to_hex(digest_of({})) == "99aa06d3014798d86001c324468d497f");
  std::vector<uint8_t> bytes(5000);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * i);
  for (const size_t cut : {0U, 1U, 16U, 240U, 1024U, 4999U, 5000U}) {
    Hasher hasher;
    hasher.update(std::span(bytes).first(cut));
    hasher.update(std::span(bytes).subspan(cut));
    CHECK(hasher.digest() == digest_of(bytes));
  }
}

TEST_CASE("what cannot be looked at is not missing") {
  const Folder folder;
  const std::string path = folder.write("a", "x");
  CHECK(is_there(path));
  CHECK(is_there(folder.name()));
  CHECK_FALSE(is_there(folder.path("none")));
  CHECK_FALSE(is_there(path + "/below"));
  for (const int error : {EIO, EACCES}) {
    const Faults faults({.call = "stat", .error = error});
    CHECK(error_of([&] { is_there(path); }).starts_with(path + ": cannot be examined: "));
  }
  folder.write("b", "");
  CHECK(names_in(folder.name()) == std::vector<std::string>{"a", "b"});
  CHECK(error_of([&] { names_in(folder.path("none")); }) ==
        folder.path("none") + ": cannot be listed: there is no such file or folder");
}
