#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/lib/base/error.h>
#include <weft/train/files/run_claim.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checks.h"
#include "folder.h"

namespace weft::test {
namespace {

namespace fs = std::filesystem;

using Names = std::vector<std::string>;

Names sorted(Names names) {
  std::ranges::sort(names);
  return names;
}

/// A folder in which a run was made, with files of its user beside.
void write_run(const Folder& folder, const std::string& name = "run") {
  folder.with(name + "/config.toml", "old")
      .with(name + "/best.h5", "old best")
      .with(name + "/notes.txt", "mine");
  folder.with(name + "/checkpoints/step-00000040.h5", "old 40")
      .with(name + "/checkpoints/mine.h5", "my copy");
  folder.with(name + "/cache/x.ids", "ids").with(name + "/before-1/step-00000050.h5", "aside");
}

/// A new run in the place of the one that is there, up to the change.
RunClaim prepared(const Folder& folder) {
  RunClaim claim = RunClaim::create(folder.path("run"), true);
  write_file(claim.held(), claim.folder().config(), std::string_view("new"));
  return claim;
}

}  // namespace

TEST_CASE("run claim: the lock is taken before the look") {
  const Folder folder;
  const std::string path = folder.path("run");
  {
    RunClaim first = RunClaim::create(path, false);
    refuses<FileError>([&] { RunClaim::create(path, false); }, {"another process"});
    refuses<FileError>([&] { RunClaim::create(path, true); }, {"another process"});
    // Who came second has removed nothing.
    CHECK(fs::exists(path));
    write_file(first.held(), first.folder().config(), std::string_view("new"));
    first.keep();
  }
  refuses<FileError>([&] { RunClaim::create(path, false); }, {"holds a run already"});
  CHECK(folder.read("run/config.toml") == "new");
}

TEST_CASE(
    "run claim: a folder that is replaced between its opening and its lock is given up for the new one") {
  const Folder folder;
  static std::string path, gone;
  static int locks;
  path = folder.path("run");
  gone = folder.path("gone");
  locks = 0;
  set_fault_hook([](const char* call, const std::string&) {
    if (std::string_view(call) == "lock" && ++locks == 1) {
      fs::rename(path, gone);
      fs::create_directory(path);
    }
    return 0;
  });
  std::optional<RunClaim> claim;
  CHECK_NOTHROW(claim.emplace(RunClaim::create(path, false)));
  set_fault_hook(nullptr);
  REQUIRE(claim);
  CHECK(locks == 2);
  write_file(claim->held(), claim->folder().best(), std::string_view("mine"));
  CHECK(folder.read("run/best.h5") == "mine");
  CHECK_FALSE(fs::exists(gone + "/best.h5"));
}

TEST_CASE("run claim: of programs that begin in one folder at once, one makes the run and none replaces it") {
  for (int round = 0; round < 20; ++round) {
    const Folder folder;
    const std::string path = folder.path("above/run");
    std::vector<pid_t> children;
    for (int i = 0; i < 6; ++i) {
      const pid_t child = fork();
      if (child == 0) {
        int code = 1;
        try {
          RunClaim claim = RunClaim::create(path, false);
          write_file(claim.held(), claim.folder().config(), std::string_view("one"));
          claim.keep();
          code = 0;
        } catch (const FileError&) {
        }
        _exit(code);
      }
      children.push_back(child);
    }
    int made = 0;
    for (const pid_t child : children) {
      int status = -1;
      REQUIRE(waitpid(child, &status, 0) == child);
      REQUIRE(WIFEXITED(status));
      made += WEXITSTATUS(status) == 0;
    }
    CHECK(made == 1);
    CHECK(folder.read("above/run/config.toml") == "one");
  }
}

TEST_CASE("run claim: a failed start leaves nothing that was not there") {
  const Folder folder;
  { const RunClaim claim = RunClaim::create(folder.path("a/b/run"), false); }
  CHECK(folder.files().empty());
  fs::create_directory(folder.path("mine"));
  { const RunClaim claim = RunClaim::create(folder.path("mine/"), false); }
  CHECK(fs::exists(folder.path("mine")));
}

TEST_CASE("run claim: what lies where a run writes is refused before there is work to lose") {
  for (const char* name : {"best.h5", "metrics.jsonl", "metrics.digest", "metrics.csv", "samples.jsonl",
                           "statistics.jsonl", "loss.svg", "trace.json", ".lock"}) {
    CAPTURE(name);
    const Folder folder;
    folder.with("run/config.toml", "x").with(std::string("run/") + name + "/x", "");
    const std::string error = refusal<FileError>([&] { RunClaim::open(folder.path("run")); });
    CHECK(error ==
          folder.path("run/") + name + ": is not a file, but a run writes its file there; move it away");
  }
  for (const char* name : {"checkpoints", "cache"}) {
    CAPTURE(name);
    const Folder folder;
    folder.with("run/config.toml", "x").with(std::string("run/") + name, "");
    refuses<FileError>([&] { RunClaim::create(folder.path("run"), true); }, {"is not a folder, but a run"});
  }
}

TEST_CASE("run claim: writers hold the folder, not its name") {
  const Folder folder;
  const std::string path = folder.path("run");
  const RunClaim claim = RunClaim::create(path, false);
  fs::remove_all(path);
  fs::create_directory(path);
  refuses<FileError>([&] { write_file(claim.held(), claim.folder().best(), std::string_view("x")); }, {path});
  CHECK(fs::is_empty(path));
  // The new folder is free for another run, though the first program still has its lock.
  RunClaim second = RunClaim::create(path, false);
  write_file(second.held(), second.folder().best(), std::string_view("second"));
  CHECK(folder.read("run/best.h5") == "second");
  fs::rename(path, folder.path("moved"));
  write_file(second.held(), second.folder().best(), std::string_view("again"));
  CHECK(folder.read("moved/best.h5") == "again");
}

TEST_CASE("run claim: a run is replaced in one step, and what is not a run's stays") {
  const Folder folder;
  write_run(folder);
  {
    RunClaim claim = prepared(folder);
    CHECK(claim.overwrites());
    CHECK(folder.read("run/config.toml") == "old");
    refuses<FileError>([&] { RunClaim::open(folder.path("run")); }, {"another process"});
    claim.change_over();
    CHECK_FALSE(claim.overwrites());
    CHECK(claim.folder().path == folder.path("run"));
    refuses<FileError>([&] { RunClaim::open(folder.path("run")); }, {"another process"});
    write_file(claim.held(), claim.folder().best(), std::string_view("new best"));
    claim.held().remove(claim.folder().best());
  }
  CHECK(folder.files() == Names{"run"});
  CHECK(folder.read("run/config.toml") == "new");
  CHECK(folder.read("run/notes.txt") == "mine");
  CHECK(folder.read("run/before-1/step-00000050.h5") == "aside");
  CHECK(folder.read("run/checkpoints/mine.h5") == "my copy");
  CHECK_FALSE(fs::exists(folder.path("run/checkpoints/step-00000040.h5")));
}

TEST_CASE("run claim: what did not come to the change leaves the old run as it was") {
  const Folder folder;
  write_run(folder);
  { const RunClaim claim = prepared(folder); }
  CHECK(folder.files() == Names{"run"});
  CHECK(folder.read("run/config.toml") == "old");
  CHECK(folder.read("run/checkpoints/step-00000040.h5") == "old 40");
  // Killed before the change.
  const pid_t child = fork();
  if (child == 0) {
    const RunClaim claim = prepared(folder);
    _exit(0);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(sorted(folder.files()) == Names{"run", "run.weft-new"});
  { const RunClaim claim = RunClaim::open(folder.path("run")); }
  CHECK(folder.files() == Names{"run"});
  CHECK(folder.read("run/best.h5") == "old best");
  CHECK(folder.read("run/notes.txt") == "mine");
}

TEST_CASE("run claim: a process killed within the change leaves the old run or the new one, whole") {
  for (const bool exchanged : {true, false}) {
    const Folder folder;
    const std::string path = folder.path("run");
    // As it is right after the folders changed places.
    const std::string old = exchanged ? "run.weft-new" : "run.weft-old";
    write_run(folder, old);
    folder.write(old + "/.weft-replaced", "");
    folder.with("run/config.toml", "new").with("run/.weft-new", "");
    { const RunClaim claim = RunClaim::open(path); }
    CHECK(folder.files() == Names{"run"});
    CHECK(folder.read("run/config.toml") == "new");
    CHECK(folder.read("run/notes.txt") == "mine");
    CHECK_FALSE(fs::exists(path + "/.weft-new"));
    CHECK_FALSE(fs::exists(path + "/best.h5"));
  }
  // Where folders cannot change places: between the two renames.
  for (const bool resumes : {true, false}) {
    const Folder folder;
    const std::string path = folder.path("run");
    write_run(folder, "run.weft-old");
    folder.write("run.weft-old/.weft-replaced", "");
    folder.with("run.weft-new/config.toml", "new").with("run.weft-new/.weft-new", "");
    if (resumes)
      const RunClaim claim = RunClaim::open(path);
    else
      refuses<FileError>([&] { RunClaim::create(path, false); }, {"holds a run already"});
    CHECK(folder.files() == Names{"run"});
    CHECK(folder.read("run/config.toml") == "old");
    CHECK(folder.read("run/best.h5") == "old best");
  }
}

TEST_CASE("run claim: folders of a user's that are called as ours are left alone") {
  for (const char* name : {"run.weft-new", "run.weft-old"}) {
    CAPTURE(name);
    const Folder folder;
    write_run(folder);
    write_run(folder, name);
    { const RunClaim claim = RunClaim::open(folder.path("run")); }
    refuses<FileError>([&] { RunClaim::create(folder.path("run"), false); }, {"holds a run already"});
    CHECK(folder.read(std::string(name) + "/best.h5") == "old best");
    if (std::string(name) == "run.weft-new")
      refuses<FileError>([&] { RunClaim::create(folder.path("run"), true); }, {"is in the way"});
    fs::remove_all(folder.path("run"));
    refuses<FileError>([&] { RunClaim::open(folder.path("run")); }, {"there is no such run"});
    CHECK(folder.read(std::string(name) + "/best.h5") == "old best");
  }
  // A log that no run of ours wrote.
  const Folder folder;
  folder.with("mine/metrics.jsonl", "my own");
  refuses<FileError>([&] { RunClaim::create(folder.path("mine"), false); }, {"is not empty"});
  for (const char* name : {"metrics.csv", "samples.jsonl", "statistics.jsonl"}) {
    folder.with(std::string("other/") + name, "my own");
    refuses<FileError>([&] { RunClaim::create(folder.path("other"), false); }, {"is not empty"});
    fs::remove_all(folder.path("other"));
  }
}

TEST_CASE("run claim: a link to a run's folder stays one") {
  const Folder folder;
  write_run(folder, "disk/real");
  fs::create_directory_symlink(folder.path("disk/real"), folder.path("run"));
  {
    RunClaim claim = prepared(folder);
    claim.change_over();
  }
  CHECK(fs::is_symlink(folder.path("run")));
  CHECK(folder.read("disk/real/config.toml") == "new");
  CHECK(folder.read("run/notes.txt") == "mine");
  CHECK(fs::is_empty(folder.path("disk")) == false);
  CHECK_FALSE(fs::exists(folder.path("disk/real.weft-new")));
}

}  // namespace weft::test
