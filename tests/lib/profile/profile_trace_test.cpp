#include <doctest/doctest.h>
#include <weft/lib/profile/profile.h>

#include <string>
#include <vector>

using namespace weft;
using Kind = ProfileEvent::Kind;

namespace {

std::vector<std::string> lines_with(const std::string& text, const std::string& part) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    if (line.find(part) != std::string::npos) lines.push_back(line);
    begin = end + 1;
  }
  return lines;
}

}  // namespace

TEST_CASE("slices and counters, in microseconds to the nanosecond") {
  Profile profile;
  profile.events = {{.kind = Kind::phase, .name = "step", .begin = 1000, .end = 5001},
                    {.name = "matmul",
                     .layer = "up",
                     .op = "linear",
                     .parent = 0,
                     .begin = 2345,
                     .end = 3345,
                     .flop = 5000,
                     .bytes = 2500,
                     .used_after = 1'000'000,
                     .peak = 3'000'000,
                     .shapes = "(3, 4) (4, 5)"}};
  const std::string json = profile_trace(profile);
  const auto step = lines_with(json, "\"name\":\"step\""), kernel = lines_with(json, "\"name\":\"matmul\"");
  REQUIRE(step.size() == 1);
  REQUIRE(kernel.size() == 1);
  CHECK(step[0].find("\"ph\":\"X\",\"pid\":1,\"tid\":0,\"ts\":1.000,\"dur\":4.001,") != std::string::npos);
  CHECK(kernel[0] ==
        "{\"name\":\"matmul\",\"cat\":\"kernel\",\"ph\":\"X\",\"pid\":1,\"tid\":0,\"ts\":2.345,\"dur\":1.000,"
        "\"args\":{\"op\":\"linear\",\"layer\":\"up\",\"shapes\":\"(3, 4) (4, 5)\",\"GFLOP/s\":5,"
        "\"GB/s\":2.5,\"peak MB\":3}},");
  const auto counters = lines_with(json, "\"ph\":\"C\"");
  REQUIRE(counters.size() == 2);
  CHECK(counters[0].find("\"ts\":2.345,\"dur\":0,\"args\":{\"MB\":3}") != std::string::npos);
  CHECK(counters[1].find("\"ts\":3.345,\"dur\":0,\"args\":{\"MB\":1}") != std::string::npos);
}

TEST_CASE("gradients lie in slices of their layers, each inside of those above it") {
  Profile profile;
  profile.events = {{.kind = Kind::phase, .name = "backward", .begin = 0, .end = 1000}};
  const auto op = [&](const char* layer, int64_t begin) {
    profile.events.push_back(
        {.kind = Kind::op, .name = "linear", .layer = layer, .parent = 0, .begin = begin, .end = begin + 10});
  };
  op("blocks.1.up", 100);
  op("blocks.1", 200);
  op("blocks.1.up", 300);
  op("blocks.1.up", 400);
  op("blocks.10", 500);
  op("", 600);
  op("blocks.10", 700);
  const std::string json = profile_trace(profile);
  const auto slice = [&](const char* name, const char* begin, const char* duration) {
    const std::string text = std::string("{\"name\":\"") + name +
                             "\",\"cat\":\"layer\",\"ph\":\"X\",\"pid\":1,\"tid\":0,\"ts\":" + begin +
                             ",\"dur\":" + duration + ",\"args\":{}}";
    return lines_with(json, text).size() == 1;
  };
  CHECK(lines_with(json, "\"cat\":\"layer\"").size() == 5);
  CHECK(slice("blocks.1", "0.100", "0.310"));
  CHECK(slice("blocks.1.up", "0.100", "0.010"));
  CHECK(slice("blocks.1.up", "0.300", "0.110"));
  CHECK(slice("blocks.10", "0.500", "0.010"));
  CHECK(slice("blocks.10", "0.700", "0.010"));
  CHECK(json.find("\"blocks.1\",\"cat\":\"layer\"") < json.find("\"blocks.1.up\",\"cat\":\"layer\""));
  CHECK(json.find("\"blocks.1.up\",\"cat\":\"layer\"") < json.find("\"cat\":\"op\""));
}

TEST_CASE("names of any kind") {
  Profile profile;
  profile.events = {{.name = "a\"b\\c\n", .begin = 0, .end = 1}};
  CHECK(profile_trace(profile).find("{\"name\":\"a\\\"b\\\\c\\u000a\",") != std::string::npos);
}
