// Writing a checkpoint while the world fails: every system call, a killed process, a full disk.
#include <doctest/doctest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/lib/files/checkpoint.h>

#include <random>

#include "faults.h"
#include "folder.h"

using namespace weft;

namespace {

StateDict sample(int step) {
  StateDict model;
  model.set("weight", Array::full({100, step}, step));
  StateDict state;
  state.set("model", model);
  return state;
}

const StateDict& before() {
  static const StateDict state = sample(100);
  return state;
}
const StateDict& after() {
  static const StateDict state = sample(3000);
  return state;
}

std::string write_error(const std::string& path, const StateDict& state) {
  try {
    write_checkpoint(path, state);
  } catch (const FileError& error) {
    return error.what();
  }
  return {};
}

/// Runs f in a child process and returns how it ended (waitpid's status).
template <class F>
int in_child(F&& f) {
  const pid_t child = fork();
  if (child == 0) _exit(f());
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

int calls_of_one_write() {
  const Folder folder;
  const Faults faults({.first = 1 << 30});
  write_checkpoint(folder.path("c.h5"), after());
  return Faults::seen();
}

/// Whether a later write to the same path works and leaves nothing beside it.
bool recovers(const Folder& folder) {
  return write_error(folder.path("c.h5"), after()).empty() && folder.files().size() == 1 &&
         identical(read_checkpoint(folder.path("c.h5")), after());
}

}  // namespace

TEST_CASE("each system call made to fail, once or from then on: the old file stays, no temporary does") {
  const int calls = calls_of_one_write();
  CHECK(calls > 10);
  for (const bool for_good : {false, true})
    for (int first = 0; first < calls; ++first) {
      CAPTURE(first);
      CAPTURE(for_good);
      const Folder folder;
      const std::string path = folder.path("c.h5");
      write_checkpoint(path, before());
      std::string error;
      {
        const Faults faults({.first = first, .for_good = for_good, .spare = "unlink"});
        error = write_error(path, after());
        CHECK(Faults::failed() > 0);
      }
      // A file system that cannot lock is let pass; after the rename the new file stands.
      CHECK(error.empty() == (Faults::first_failed() == "lock" && !for_good));
      const bool renamed = error.empty() || error.find("is written whole, but its folder cannot be synced") !=
                                                std::string::npos;
      CHECK((error.empty() || error.starts_with(path + ": ")));
      CHECK(identical(read_checkpoint(path), renamed ? after() : before()));
      CHECK(folder.files() == std::vector<std::string>{"c.h5"});
      CHECK(recovers(folder));
    }
}

TEST_CASE("no file is there after a failed first write") {
  const int calls = calls_of_one_write();
  for (int first = 0; first + 1 < calls; ++first) {
    CAPTURE(first);
    const Folder folder;
    std::string error;
    {
      const Faults faults({.first = first, .spare = "unlink"});
      error = write_error(folder.path("c.h5"), after());
    }
    CHECK(!error.empty());
    CHECK(folder.files().empty());
  }
}

TEST_CASE("even when the temporary cannot be removed, the next write clears it") {
  const Folder folder;
  write_checkpoint(folder.path("c.h5"), before());
  {
    const Faults faults({.first = 6});
    CHECK(!write_error(folder.path("c.h5"), after()).empty());
  }
  CHECK(folder.files().size() == 2);
  CHECK(identical(read_checkpoint(folder.path("c.h5")), before()));
  CHECK(recovers(folder));
}

TEST_CASE("each call that reads made to fail names the file") {
  const Folder folder;
  write_checkpoint(folder.path("c.h5"), before());
  for (const char* call : {"open", "stat", "read"}) {
    const Faults faults({.call = call});
    CHECK_THROWS_WITH_AS(read_checkpoint(folder.path("c.h5")), doctest::Contains("c.h5: cannot be"),
                         FileError);
    CHECK(Faults::failed() == 1);
  }
}

TEST_CASE("a process killed at each of its system calls leaves the old file or the new") {
  const int calls = calls_of_one_write();
  static int left;
  for (int last = 0; last <= calls; ++last) {
    CAPTURE(last);
    const Folder folder;
    const std::string path = folder.path("c.h5");
    write_checkpoint(path, before());
    const std::vector<uint8_t> image = checkpoint_image(after());
    const int status = in_child([&] {
      left = last;
      set_fault_hook([](const char*, const std::string&) { return left-- == 0 ? raise(SIGKILL) : 0; });
      write_checkpoint_image(path, image);
      return 0;
    });
    CHECK((WIFSIGNALED(status) || last == calls));
    const StateDict found = read_checkpoint(path);
    CHECK((identical(found, before()) || identical(found, after())));
    CHECK(recovers(folder));
  }
}

TEST_CASE("a process killed at any moment leaves the old file or the new") {
  const Folder folder;
  const std::string path = folder.path("c.h5");
  const std::vector<uint8_t> images[] = {checkpoint_image(before()), checkpoint_image(after())};
  write_checkpoint_image(path, images[0]);
  std::mt19937 random(1);
  int partial = 0;
  for (int run = 0; run < 60; ++run) {
    const pid_t child = fork();
    if (child == 0)
      for (int i = 1;; ++i) write_checkpoint_image(path, images[i % 2]);
    usleep(static_cast<useconds_t>(random() % 6000));
    kill(child, SIGKILL);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    partial += folder.files().size() > 1;
    const StateDict found = read_checkpoint(path);
    CHECK((identical(found, before()) || identical(found, after())));
  }
  CHECK(partial > 0);
  CHECK(recovers(folder));
}

TEST_CASE("a full disk is an error that says how much is needed, and the old file stays") {
  const Folder folder;
  const std::string path = folder.path("c.h5");
  write_checkpoint(path, before());
  const auto needed = std::to_string(checkpoint_image(after()).size());
  {
    const Faults faults({.call = "write", .error = ENOSPC});
    const std::string error = write_error(path, after());
    CHECK(error.starts_with(path + ": the disk is full: " + needed + " bytes are needed, "));
    CHECK(error.ends_with(" are free in " + folder.name() + "; make room or choose another folder"));
  }
  CHECK(identical(read_checkpoint(path), before()));
  CHECK(folder.files().size() == 1);
}

TEST_CASE("a disk that really is full") {
  const Folder folder;
  const int status = in_child([&] {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("none", folder.name().c_str(), "tmpfs", 0, "size=256k") != 0)
      return 77;
    const std::string path = folder.path("c.h5");
    write_checkpoint(path, before());
    if (write_error(path, after()).find(": the disk is full: ") == std::string::npos) return 1;
    if (!identical(read_checkpoint(path), before())) return 2;
    if (folder.files().size() != 1) return 3;
    return 0;
  });
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
    MESSAGE("not tested: this process may not mount a small disk");
  else
    CHECK(status == 0);
}

TEST_CASE("a file beyond the process's limit is an error, and the old file stays") {
  const Folder folder;
  const std::string path = folder.path("c.h5");
  write_checkpoint(path, before());
  const int status = in_child([&] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100000, 100000};
    setrlimit(RLIMIT_FSIZE, &limit);
    const std::string error = write_error(path, after());
    return error.ends_with(" bytes are needed, more than a file may have here (see ulimit -f)") ? 0 : 1;
  });
  CHECK(status == 0);
  CHECK(identical(read_checkpoint(path), before()));
  CHECK(folder.files().size() == 1);
}
