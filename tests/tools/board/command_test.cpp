// weft board, as it is used: over runs that weft train makes, by a file and over HTTP.
#include <doctest/doctest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tools/attention_page_data.h"
#include "tools/http_client.h"
#include "tools/program.h"

namespace {

using nlohmann::json;

/// Two short runs, made once.
const Folder& runs() {
  struct Runs : Folder {
    Runs() {
      write_text(*this);
      for (const char* const name : {"runs/a", "runs/b"}) {
        const Result result =
            run_weft(*this, train(name, {"learning_rate=" + std::string(name[5] == 'a' ? "0.01" : "0.002")}));
        REQUIRE_MESSAGE(result.code == 0, result.err);
      }
    }
  };
  static const Runs folder;
  return folder;
}

/// A board that serves, and the port that it says.
class Served {
 public:
  explicit Served(const Folder& folder, const Arguments& more)
      : folder_(folder), program_(folder, [&] {
          Arguments all{"board", "--port", "0"};
          all.insert(all.end(), more.begin(), more.end());
          return all;
        }()) {
    REQUIRE(wait_until([&] { return said().find('\n') != std::string::npos || !program_.running(); }));
    const std::string url = said(), begin = "http://127.0.0.1:";
    if (url.starts_with(begin)) {
      port_ = std::stoi(url.substr(begin.size()));
      return;
    }
    const Result result = program_.wait();
    REQUIRE_MESSAGE(contains(result.err, "libweft-http.so"), result.err);
    MESSAGE("skipped: " << result.err);
  }
  /// False, and said, where the plug-in was not built.
  bool is_up() const { return port_ > 0; }
  int port() const { return port_; }
  HttpReply get(const std::string& path) const { return HttpClient(port_).get(path); }
  json data(const std::string& path) const {
    const HttpReply reply = get(path);
    REQUIRE_MESSAGE(reply.status == 200, reply.body);
    CHECK(reply.header("content-type") == "application/json");
    return json::parse(reply.body);
  }
  Result stop() {
    program_.send(SIGINT);
    return program_.wait();
  }

 private:
  /// Its standard output so far.
  std::string said() const {
    for (const std::string& name : folder_.files())
      if (name.starts_with(".out")) return folder_.read(name);
    return "";
  }

  const Folder& folder_;
  Program program_;
  int port_ = 0;
};

}  // namespace

TEST_CASE("board --out writes a page with all that the runs have logged") {
  const Result result = run_weft(runs(), {"board", "runs", "--out", "board.html"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(result.out.empty());
  CHECK(result.err.empty());
  const json data = data_of(runs().read("board.html"));
  const json told = data["runs"]["runs"];
  REQUIRE(told.size() == 2);
  CHECK(told[0]["name"] == "runs/a");
  CHECK(told[0]["state"] == "finished");
  CHECK(told[0]["step"] == 20);
  CHECK(told[0]["of"] == 20);
  CHECK(told[0]["notes"].empty());
  const std::vector<std::string> log = lines_of(runs().read("runs/a/metrics.jsonl"));
  const json updates = data["curves"]["0"]["updates"], evaluations = data["curves"]["0"]["evaluations"];
  CHECK(updates["count"].get<size_t>() + evaluations["count"].get<size_t>() == log.size());
  size_t i = 0;
  for (const std::string& line : log) {
    const json entry = json::parse(line);
    if (!entry.contains("loss")) continue;
    CHECK(updates["step"][i] == entry["step"]);
    for (const char* const key : {"loss", "lr", "grad_norm", "tokens_per_second"})
      CHECK(updates[key][i].get<double>() == doctest::Approx(entry[key].get<double>()).epsilon(1e-6));
    CHECK(updates["tokens"][i] == (entry["step"].get<int64_t>() + 1) * 4 * 8);
    ++i;
  }
  CHECK(i == 20);
  size_t differ = 0;
  for (size_t k = 0; k < told[0]["config"].size(); ++k)
    differ += told[0]["config"][k] != told[1]["config"][k];
  CHECK(differ == 1);
  CHECK(runs().read("board.html").find(runs().name()) == std::string::npos);  // where the machine has them
}

TEST_CASE("board serves its page, curves and what is new") {
  const Folder folder;
  std::filesystem::copy(runs().path("runs"), folder.path("runs"), std::filesystem::copy_options::recursive);
  Served board(folder, {"runs"});
  if (!board.is_up()) return;
  const HttpReply page = board.get("/");
  CHECK(page.status == 200);
  CHECK(page.header("content-type") == "text/html; charset=utf-8");
  CHECK(data_of(page.body).is_null());
  const json all = board.data("/runs");
  REQUIRE(all["runs"].size() == 2);
  const std::string since = "/runs?board=" + all["board"].get<std::string>() +
                            "&since=" + std::to_string(all["version"].get<int64_t>());
  CHECK(board.data(since)["runs"].empty());
  CHECK(board.data("/curve?run=0&curve=updates&most=5")["level"] == 2);
  CHECK(board.data("/curve?run=0&curve=updates&most=100&axis=step&from=3&to=4")["step"] ==
        json({2, 3, 4, 5}));
  CHECK(board.data("/curve?run=0&curve=updates&most=100&generation=0&level=0&known=19")["step"] ==
        json({19}));
  std::ofstream(folder.path("runs/b/metrics.jsonl"), std::ios::app)
      << R"({"step":20,"loss":1.5,"lr":0.1,"grad_norm":1,"tokens_per_second":1,"seconds":9})"
      << "\n";
  const json news = board.data(since);
  REQUIRE(news["runs"].size() == 1);
  CHECK(news["runs"][0]["name"] == "runs/b");
  CHECK(board.data("/curve?run=1&most=100&generation=0&level=0&known=19")["step"] == json({19, 20}));
  const Result end = board.stop();
  CHECK(end.code == 130);
  CHECK(contains(end.err, "following 2 runs"));
}

TEST_CASE("board answers no path but its own, and no number that is none") {
  Served board(runs(), {"runs/a"});
  if (!board.is_up()) return;
  for (const char* const path :
       {"/runs/a/config.toml", "/../runs/a/config.toml", "/..%2f..%2fetc/passwd", "/%2e%2e/text.txt",
        "/config.toml", "//etc/passwd", "/runs/", "/runs/../text.txt"}) {
    CAPTURE(path);
    CHECK(board.get(path).status >= 400);
  }
  for (const char* const path :
       {"/curve", "/curve?run=1", "/curve?run=-1", "/curve?run=../b", "/curve?run=0&curve=config.toml",
        "/curve?run=0&most=0", "/curve?run=0&axis=x&from=0&to=1", "/curve?run=0&axis=step",
        "/curve?run=0&axis=step&from=nan&to=1", "/sample?run=0&number=0", "/sample?run=0",
        "/statistics?run=7&part=a&measure=b", "/runs?since=x", "/curve?run=99999999999999999999"}) {
    CAPTURE(path);
    CHECK(board.get(path).status == 400);
  }
  CHECK(board.data("/statistics?run=0&part=../..&measure=%00")["rows"].empty());
  board.stop();
}

TEST_CASE("board refuses what it cannot follow, write or serve") {
  const Folder& folder = runs();
  refused_with(folder, {"board"}, {"board: which runs?"});
  refused_with(folder, {"board", "none"}, {"none", "no such run or file"});
  refused_with(folder, {"board", "text.txt"}, {"text.txt", "no folder"});
  std::filesystem::create_directory(folder.path("empty"));
  refused_with(folder, {"board", "empty", "--out", "page.html"},
               {"empty", "holds no run", "train --out empty/NAME"});
  refused_with(folder, {"board", "runs", "--out", "none/page.html"}, {"none"});
  refused_with(folder, {"board", "runs", "--out", "runs/a/metrics.jsonl"}, {"is a file of the run"});
  refused_with(folder, {"board", "runs", "--out", "page.html", "--port", "1234"}, {"--out", "--port"});
  refused_with(folder, {"board", "runs", "--port", "65536"}, {"--port", "65535"});
  CHECK_FALSE(exists(folder, "page.html"));
}

TEST_CASE("board refuses a port that is taken, and an address that is not there") {
  const Folder folder;
  std::filesystem::create_directory(folder.path("runs"));
  Served first(folder, {"runs"});
  if (!first.is_up()) return;
  refused_with(runs(), {"board", "runs", "--port", std::to_string(first.port())},
               {std::to_string(first.port())});
  refused_with(runs(), {"board", "runs", "--host", "no.such.host.invalid"}, {"no.such.host.invalid"});
  const Result end = first.stop();
  CHECK(contains(end.err, "runs: no run is there yet"));
}
