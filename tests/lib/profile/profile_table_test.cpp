#include <doctest/doctest.h>
#include <weft/lib/profile/profile.h>

#include <sstream>
#include <string>
#include <vector>

using namespace weft;
using Kind = ProfileEvent::Kind;

namespace {

/// The words of the first line that begins with `name`; none when there is no such line.
std::vector<std::string> row(const std::string& table, const std::string& name) {
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name + " ")) continue;
    std::istringstream words(line.substr(name.size()));
    std::vector<std::string> cells;
    for (std::string word; words >> word;) cells.push_back(word);
    return cells;
  }
  return {};
}

using Cells = std::vector<std::string>;

/// Two steps of 10 ms: a product of two blocks forward, its gradient, an update; and one more between them.
Profile two_steps() {
  Profile profile;
  profile.duration = 40'000'000;
  for (int64_t at : {0, 20'000'000}) {
    const auto first = static_cast<int64_t>(profile.events.size());
    const auto add = [&](Kind kind, const char* name, const char* phase, const char* layer, const char* op,
                         int64_t parent, int64_t begin, int64_t end) {
      profile.events.push_back({.kind = kind,
                                .name = name,
                                .phase = phase,
                                .layer = layer,
                                .op = op,
                                .parent = parent < 0 ? parent : first + parent,
                                .begin = at + begin,
                                .end = at + end,
                                .peak = 5'000'000});
    };
    add(Kind::phase, "step", "step", "", "", -1, 0, 10'000'000);
    add(Kind::phase, "forward", "forward", "", "", 0, 0, 4'000'000);
    for (const char* layer : {"blocks.0.up", "blocks.1.up"}) {
      const int64_t begin = layer[7] == '0' ? 0 : 2'000'000;
      const auto parent = static_cast<int64_t>(profile.events.size()) - first;
      add(Kind::layer, layer, "forward", layer, "", 1, begin, begin + 2'000'000);
      profile.events.back().used_after = 3'000'000;
      add(Kind::kernel, "gemm", "forward", layer, "linear", parent, begin, begin + 1'000'000);
      profile.events.back().flop = 100'000'000;
      profile.events.back().bytes = 7'000'000;
    }
    add(Kind::phase, "backward", "backward", "", "", 0, 4'000'000, 8'000'000);
    add(Kind::kernel, "gemm", "backward", "blocks.0.up", "linear", 6, 4'000'000, 8'000'000);
    add(Kind::kernel, "adam", "optimizer", "", "", 0, 8'000'000, 9'000'000);
    add(Kind::kernel, "evaluation", "", "", "", -1, 10'000'000, 19'000'000);
  }
  return profile;
}

}  // namespace

TEST_CASE("by phase and operation, for a step, without what lies between steps") {
  const std::string table = profile_table(two_steps());
  CHECK(table.starts_with("profile of 2 steps\n"));
  CHECK(row(table, "step") == Cells{"10.000", "100.0", "5.0"});
  CHECK(row(table, "forward") == Cells{"4.000", "40.0", "5.0"});
  CHECK(row(table, "outside of kernels") == Cells{"3.000", "30.0"});
  CHECK(row(table, "linear") == Cells{"backward", "1", "4.000", "40.0", "5.0"});
  CHECK(table.find("linear     forward") > table.find("linear     backward"));
  CHECK(table.find("2    2.000  20.0    100.0   7.0      5.0\n") != std::string::npos);
  CHECK(row(table, "adam") == Cells{"optimizer", "1", "1.000", "10.0", "5.0"});
  CHECK(row(table, "evaluation").empty());
}

TEST_CASE("by layer: layers that differ by a number share a row") {
  const std::string table = profile_table(two_steps());
  CHECK(row(table, "layer") == Cells{"forward", "ms", "backward", "ms", "optimizer", "ms", "ms/step", "%",
                                     "GFLOP/s", "GB/s", "kept", "MB", "peak", "MB"});
  CHECK(row(table, "blocks.N.up (2)") ==
        Cells{"2.000", "4.000", "6.000", "60.0", "33.3", "2.3", "6.0", "5.0"});
  CHECK(row(table, "(in no layer)") == Cells{"1.000", "1.000", "10.0", "5.0"});
}

TEST_CASE("a layer holds those below it, and what is too much is left out") {
  Profile profile;
  profile.duration = 1'000'000'000;
  const auto add = [&](const std::string& layer) {
    static std::vector<std::string> names;
    names.reserve(100);
    names.push_back(layer);
    profile.events.push_back(
        {.name = "gemm", .phase = "forward", .layer = names.back(), .begin = 0, .end = 1'000'000});
  };
  add("block");
  add("block.up");
  add("block.up.norm");
  std::string table = profile_table(profile);
  CHECK(row(table, "block")[0] == "3.000");
  CHECK(row(table, "  up")[0] == "2.000");
  CHECK(row(table, "    norm")[0] == "1.000");
  for (char c = 'a'; c <= 'z'; ++c) add(std::string("block.up.") + c);
  table = profile_table(profile);
  CHECK(row(table, "block")[0] == "29.000");
  CHECK(row(table, "  up")[0] == "28.000");
  CHECK(row(table, "    norm").empty());
}

TEST_CASE("many operations: the last are one row") {
  Profile profile;
  profile.duration = 1'000'000'000;
  static const std::string letters = "abcdefghijklmnopqrstuvwxyz";
  for (size_t i = 0; i < letters.size(); ++i)
    profile.events.push_back({.name = std::string_view(letters).substr(i, 1),
                              .begin = 0,
                              .end = static_cast<int64_t>(1'000'000 * (letters.size() - i))});
  const std::string table = profile_table(profile);
  CHECK(row(table, "a")[1] == "26.000");
  CHECK(row(table, "t").empty());
  CHECK(row(table, "(all others)") == Cells{"7", "28.000", "2.8", "0.0"});
}

TEST_CASE("nothing at all") { CHECK(row(profile_table({}), "outside of kernels") == Cells{"0.000", "0.0"}); }
