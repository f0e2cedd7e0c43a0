// Runs that nobody watches: begun by a service or cron, left by a terminal or a pipe.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>

#include "program.h"

namespace {

constexpr const char* endless = "max_iters=1000000";

/// weft begun by a shell that has closed or redirected what the line says.
Arguments run_shell(const std::string& line) { return {"sh", "-c", "exec \"$@\" " + line, "sh"}; }

bool updates_made(const Folder& folder, const std::string& run) {
  return wait_until([&] {
    return exists(folder, run + "/metrics.jsonl") &&
           lines_of(folder.read(run + "/metrics.jsonl")).size() > 20;
  });
}

}  // namespace

TEST_CASE("a run begun without standard streams writes them nowhere, and stops in order") {
  const Text folder;
  REQUIRE(run_weft(folder, train("whole")).code == 0);
  for (const char* closed : {">&-", "2>&-", "<&-", ">&- 2>&- <&-", "2>&- <&-"}) {
    CAPTURE(closed);
    const std::string run = "run";
    REQUIRE(run_weft(folder, train(run), {.under = run_shell(closed)}).code == 0);
    CHECK(folder.read(run + "/.lock").empty());
    CHECK(folder.read(run + "/best.h5") == folder.read("whole/best.h5"));
    for (const std::string& line : lines_of(folder.read(run + "/metrics.jsonl")))
      CHECK_MESSAGE(line.starts_with("{\"step\":"), line);
    std::filesystem::remove_all(folder.path(run));

    Program program(folder, train(run, {endless}), {.under = run_shell(closed)});
    REQUIRE(updates_made(folder, run));
    program.send(SIGTERM);
    CHECK(program.wait().code == 143);
    CHECK_FALSE(listed(folder, run + "/checkpoints").empty());
    CHECK(folder.read(run + "/.lock").empty());
    std::filesystem::remove_all(folder.path(run));
  }
}

TEST_CASE("SIGHUP stops a run in order; under nohup it does not") {
  const Text folder;
  Program program(folder, train("run", {endless}));
  REQUIRE(updates_made(folder, "run"));
  program.send(SIGHUP);
  const Result result = program.wait();
  CHECK(result.code == 129);
  CHECK_MESSAGE(contains(result.err, "stopped by SIGHUP after "), result.err);
  CHECK(run_weft(folder, {"eval", "run", "--last"}).code == 0);

  for (const int signal : {SIGUSR1, SIGXCPU}) {
    Program job(folder, train("job", {endless}));
    REQUIRE(updates_made(folder, "job"));
    job.send(signal);
    CHECK(job.wait().code == 128 + signal);
    CHECK_FALSE(listed(folder, "job/checkpoints").empty());
    std::filesystem::remove_all(folder.path("job"));
  }

  Program ignoring(folder, train("kept", {endless}), {.under = {"nohup"}});
  REQUIRE(updates_made(folder, "kept"));
  ignoring.send(SIGHUP);
  const size_t lines = lines_of(folder.read("kept/metrics.jsonl")).size();
  CHECK(wait_until([&] { return lines_of(folder.read("kept/metrics.jsonl")).size() > lines + 20; }));
  ignoring.send(SIGTERM);
  CHECK(ignoring.wait().code == 143);
}

TEST_CASE("a run whose messages nobody reads any more goes on") {
  const Text folder;
  REQUIRE(run_weft(folder, train("whole", {"max_iters=200"})).code == 0);
  const Arguments under{"sh", "-c",
                        "\"$@\" 2>&1 >/dev/null | head -n 2; test -f run/checkpoints/step-00000200.h5", "sh"};
  CHECK(run_weft(folder, train("run", {"max_iters=200"}), {.under = under}).code == 0);
  CHECK(folder.read("run/best.h5") == folder.read("whole/best.h5"));
}

TEST_CASE("a run whose folder is removed ends, and writes into none of the same name") {
  const Text folder;
  Program program(folder, train("run", {endless}));
  REQUIRE(updates_made(folder, "run"));
  // It writes meanwhile, so that there may be more to remove.
  REQUIRE(wait_until([&] {
    std::error_code error;
    std::filesystem::remove_all(folder.path("run"), error);
    return !exists(folder, "run");
  }));
  std::filesystem::create_directory(folder.path("run"));
  const Result result = program.wait();
  CHECK(result.code == 1);
  CHECK_MESSAGE(contains(result.err, "there is no such file or folder"), result.err);
  CHECK(std::filesystem::is_empty(folder.path("run")));
  CHECK(run_weft(folder, train("run")).code == 0);
}

TEST_CASE("two programs begun together in one folder: one trains") {
  const Text folder;
  for (int round = 0; round < 5; ++round) {
    const std::string run = "run" + std::to_string(round);
    Program first(folder, train(run)), second(folder, train(run)), third(folder, train(run));
    int done = 0;
    for (Program* program : {&first, &second, &third}) {
      const Result result = program->wait();
      done += result.code == 0;
      if (result.code != 0) {
        CHECK(result.code == 2);
        CHECK_MESSAGE(
            (contains(result.err, "another process") || contains(result.err, "holds a run already")),
            result.err);
      }
    }
    CHECK(done == 1);
    CHECK(listed(folder, run + "/checkpoints").back() == "step-00000020.h5");
  }
}

TEST_CASE("where few addresses are to be had: a command answers or says so, and does not hang") {
  const Text folder;
  constexpr long little = 57344L << 10;
  const Result version = run_weft(folder, {"--version"}, {.memory_limit = little});
  CHECK_MESSAGE(version.code == 0, version.err);
  const Result training = run_weft(folder, train("run"), {.memory_limit = little});
  CHECK((training.code == 0 || training.code == 1 || training.code == 2));
  CHECK_MESSAGE((training.code == 0 || contains(training.err, "memory")), training.err);
}
