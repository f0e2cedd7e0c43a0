#include <doctest/doctest.h>
#include <weft/tools/board/statistics_log.h>

#include <nlohmann/json.hpp>

namespace weft::tools {
namespace {

using nlohmann::json;

std::string line(int64_t step, double norm) {
  return json{{"step", step},
              {"gradients", {{"b.weight", {{"norm", norm}, {"mean", -norm}}}, {"a.weight", {{"norm", 1}}}}},
              {"activations", {{"b", {{"zero", 0.5}}}}}}
      .dump();
}

}  // namespace

TEST_CASE("statistics: parts, measures and rows come back by name") {
  StatisticsLog log;
  CHECK(log.take(line(0, 2)));
  CHECK(log.take(line(10, 3)));
  CHECK(log.lines() == 2);
  CHECK(log.rows() == 4);
  const json norms = json::parse(log.json("gradients", "norm"));
  CHECK(norms["step"] == json({0, 10}));
  CHECK(norms["lines"] == 2);
  for (size_t i = 0; i < 2; ++i)
    CHECK(norms["values"][i] == (norms["rows"][i] == "b.weight" ? json({2, 3}) : json({1, 1})));
  CHECK(json::parse(log.json("gradients", "mean"))["values"] == json({{-2, -3}}));
  CHECK(json::parse(log.json("weights", "mean"))["rows"].empty());
  const json parts = json::parse(log.parts_json());
  REQUIRE(parts.size() == 2);
  for (const json& part : parts) CHECK(part[1].size() == (part[0] == "gradients" ? 2 : 1));
}

TEST_CASE("statistics: lines of another kind are refused, numbers of another kind are passed over") {
  StatisticsLog log;
  for (const char* bad :
       {"", "{", "[]", "1", "null", "{}", R"({"step":"1"})", R"({"step":-1})", R"({"step":1.5})", "\xff\xfe"})
    CHECK_FALSE(log.take(bad));
  CHECK(log.empty());
  CHECK(
      log.take(R"({"step":5,"weights":{"a":{"std":1,"norm":null,"name":"x"},"b":3},"note":"x","list":[1]})"));
  CHECK_FALSE(log.take(R"({"step":5})"));
  CHECK_FALSE(log.take(R"({"step":4})"));
  CHECK(log.rows() == 1);
  CHECK(log.take(R"({"step":6,"weights":{"c":{"std":7}}})"));
  const json all = json::parse(log.json("weights", "std"));
  CHECK(all["rows"] == json({"a", "c"}));
  CHECK(all["values"] == json({{1, nullptr}, {nullptr, 7}}));
}

TEST_CASE("statistics: however many lines, few columns, and what is farthest from 0 stays") {
  StatisticsLog log;
  const int64_t lines = 5000;
  for (int64_t i = 0; i < lines; ++i) REQUIRE(log.take(line(i, i == 1234 ? 1000 : i == 4001 ? -500 : 2)));
  CHECK(log.lines() == static_cast<size_t>(lines));
  for (const size_t most : {StatisticsLog::most_columns, size_t{100}, size_t{3}}) {
    const json norms = json::parse(log.json("gradients", "norm", most));
    const size_t row = norms["rows"][0] == "b.weight" ? 0 : 1;
    const json& values = norms["values"][row];
    CHECK(values.size() == norms["step"].size());
    CHECK(values.size() <= most);
    CHECK(std::ranges::count(values, 1000) == 1);
    if (most > 3) CHECK(std::ranges::count(values, -500) == 1);
    CHECK(norms["step"][0] == 0);
    for (size_t i = 0; i < values.size(); ++i) {
      const int64_t begin = norms["step"][i],
                    end = i + 1 < values.size() ? norms["step"][i + 1].get<int64_t>() : lines;
      if (begin <= 1234 && 1234 < end) CHECK(values[i] == 1000);
    }
  }
}

TEST_CASE("statistics: rows beyond all measure are left out") {
  json many{{"step", 1}};
  for (size_t i = 0; i < StatisticsLog::most_rows + 5; ++i) many["weights"][std::to_string(i)] = {{"std", 1}};
  StatisticsLog log;
  CHECK(log.take(many.dump()));
  CHECK(log.left_out());
  CHECK(log.rows() == StatisticsLog::most_rows);
}

}  // namespace weft::tools
