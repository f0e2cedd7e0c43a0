#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "program.h"

using nlohmann::json;

namespace {

Arguments with_profile(const std::string& out, const Arguments& more = {}) {
  Arguments arguments = train(out, more);
  arguments.insert(arguments.end(), {"--profile", "--profile-steps", "4"});
  return arguments;
}

int64_t nanoseconds(const json& microseconds) { return std::llround(1000 * microseconds.get<double>()); }

}  // namespace

TEST_CASE("a profiled run is the same run") {
  const Text folder;
  REQUIRE(run_weft(folder, train("plain")).code == 0);
  const Result result = run_weft(folder, with_profile("profiled"));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(contains(result.err, "\nprofile of 4 steps\n"));
  CHECK(contains(result.err, "\nprofiled/trace.json: "));
  CHECK(exists(folder, "profiled/trace.json"));
  CHECK(!exists(folder, "plain/trace.json"));
  for (const char* file : {"/best.h5", "/checkpoints/step-00000020.h5", "/config.toml"})
    CHECK(folder.read(std::string("plain") + file) == folder.read(std::string("profiled") + file));
}

TEST_CASE("the tables name phases, operations and layers") {
  const Text folder;
  const Result result = run_weft(folder, with_profile("run", {"bias=true"}));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  std::map<std::string, std::set<std::string>> first_words;  // by table
  std::string table;
  for (const std::string& line : lines_of(result.err)) {
    const std::string word = line.substr(0, line.find("  "));
    if (word == "phase" || word == "operation" || word == "layer") table = word;
    if (line.empty()) table = "";
    const size_t begin = line.find_first_not_of(' ');
    if (!table.empty()) first_words[table].insert(line.substr(begin, line.find("  ", begin) - begin));
  }
  for (const char* phase : {"step", "forward", "backward", "optimizer", "outside of kernels"})
    CHECK_MESSAGE(first_words["phase"].contains(phase), phase);
  for (const char* op : {"linear", "layer_norm", "attention", "embedding", "cross_entropy", "update"})
    CHECK_MESSAGE(first_words["operation"].contains(op), op);
  for (const char* layer : {"token_embedding", "position_embedding", "blocks.N", "attention", "query",
                            "norm1", "feed_forward", "up", "norm", "head", "loss"})
    CHECK_MESSAGE(first_words["layer"].contains(layer), layer);
}

TEST_CASE("the trace: complete slices that nest, and the memory in use") {
  const Text folder;
  REQUIRE(run_weft(folder, with_profile("run", {"eval_interval=20"})).code == 0);
  const json trace = json::parse(folder.read("run/trace.json"));
  const json& events = trace.at("traceEvents");
  std::map<int, std::vector<int64_t>> open;  // ends of the slices that are open, by thread
  std::map<int, int64_t> last;
  std::map<std::string, int> slices;
  int counters = 0;
  int64_t step = 0, in_kernels = 0;
  for (const json& event : events) {
    for (const char* key : {"name", "ph", "ts", "dur", "pid", "tid"}) REQUIRE(event.contains(key));
    if (event.at("ph") == "C") {
      CHECK(event.at("args").at("MB").get<double>() > 0);
      ++counters;
    }
    if (event.at("ph") != "X") continue;
    const int thread = event.at("tid").get<int>();
    const int64_t begin = nanoseconds(event.at("ts")), end = begin + nanoseconds(event.at("dur"));
    CHECK(begin >= last[thread]);
    last[thread] = begin;
    std::vector<int64_t>& ends = open[thread];
    while (!ends.empty() && ends.back() <= begin) ends.pop_back();
    if (!ends.empty()) CHECK(end <= ends.back());
    ends.push_back(end);
    ++slices[event.at("cat").get<std::string>() + " " + event.at("name").get<std::string>()];
    if (event.at("name") == "step") step += end - begin;
    if (event.at("cat") == "kernel") in_kernels += end - begin;
  }
  CHECK(counters > 0);
  CHECK(in_kernels > 0);
  CHECK(in_kernels < step);
  for (const char* phase : {"phase step", "phase forward", "phase backward", "phase optimizer"})
    CHECK_MESSAGE(slices[phase] == 4, phase);
  // Forward, and around its gradients.
  CHECK(slices["layer blocks.0.feed_forward.up"] >= 8);
  CHECK(slices["op linear"] == 4 * 7);
  CHECK(slices["kernel linear"] == slices["op linear"]);
}

TEST_CASE("a run that ends sooner shows what was seen, or says that there was nothing") {
  const Text folder;
  Result result = run_weft(folder, with_profile("five", {"max_iters=5"}));
  CHECK(result.code == 0);
  CHECK(contains(result.err, "\nprofile of 2 steps\n"));
  CHECK(exists(folder, "five/trace.json"));
  result = run_weft(folder, with_profile("three", {"max_iters=3"}));
  CHECK(result.code == 0);
  CHECK(contains(result.err, "no profile: "));
  CHECK(!exists(folder, "three/trace.json"));
}

TEST_CASE("what --profile refuses, and what --overwrite removes") {
  const Text folder;
  Result result = run_weft(folder, train("run", {"--profile", "--profile-steps", "0"}));
  CHECK(result.code == 2);
  CHECK(contains(result.err, "--profile-steps: '0' is not a whole number between 1 and "));
  result = run_weft(folder, train("run", {"--profile-steps", "5"}));
  CHECK(result.code == 2);
  CHECK(contains(result.err, "--profile"));
  CHECK(!exists(folder, "run"));
  REQUIRE(run_weft(folder, with_profile("run")).code == 0);
  REQUIRE(run_weft(folder, train("run", {"--overwrite"})).code == 0);
  CHECK(!exists(folder, "run/trace.json"));
}
