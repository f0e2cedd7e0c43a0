#include <doctest/doctest.h>
#include <weft/tools/board/statistics_log.h>
#include <weft/train/watch/update_statistics.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

namespace weft::tools {
namespace {

using nlohmann::json;

TensorStatistics of_norm(double norm) {
  return {.mean = -norm, .std = 1, .min = -2, .max = 3, .norm = norm, .zero = 0.5};
}

std::string line(int64_t step, double norm) {
  return UpdateStatistics{.step = step,
                          .weights = {},
                          .gradients = {{"b.weight", of_norm(norm)}, {"a.weight", of_norm(1)}},
                          .ratios = {{"b.weight", 0.001}},
                          .activations = {{"b", of_norm(4)}}}
      .line();
}

}  // namespace

TEST_CASE("statistics: parts, measures and rows come back by name, in the order of the model") {
  StatisticsLog log;
  CHECK(log.take(line(0, 2)));
  CHECK(log.take(line(10, 3)));
  CHECK(log.lines() == 2);
  CHECK(log.rows() == 5 + 5 + 1 + 5);
  const json norms = json::parse(log.json("gradients", "norm"));
  CHECK(norms == json{{"lines", 2},
                      {"step", {0, 10}},
                      {"rows", {"b.weight", "a.weight"}},
                      {"values", {{2, 3}, {1, 1}}}});
  CHECK(json::parse(log.json("gradients", "mean"))["values"] == json({{-2, -3}, {-1, -1}}));
  CHECK(json::parse(log.json("updates", "ratio"))["values"] == json::parse("[[0.001,0.001]]"));
  CHECK(json::parse(log.json("activations", "zero"))["values"] == json::parse("[[0.5,0.5]]"));
  CHECK(json::parse(log.json("weights", "mean"))["rows"].empty());
  const json measures{"norm", "std", "mean", "min", "max"};
  CHECK(json::parse(log.parts_json()) ==
        json::array({json::array({"gradients", measures}), json::array({"updates", json::array({"ratio"})}),
                     json::array({"activations", {"zero", "std", "mean", "min", "max"}})}));
}

TEST_CASE("statistics: lines of another kind are refused") {
  StatisticsLog log;
  const std::string whole = line(5, 1);
  for (const std::string& bad :
       {std::string(), std::string("{"), std::string("[]"), std::string("null"), std::string("{}"),
        std::string("\xff\xfe"), whole.substr(0, whole.size() - 1), line(-1, 1),
        std::string(R"({"step":5,"weights":{}})")})
    CHECK_FALSE(log.take(bad));
  CHECK(log.empty());
  CHECK(log.take(whole));
  CHECK_FALSE(log.take(whole));
  CHECK_FALSE(log.take(line(4, 1)));
  CHECK(log.lines() == 1);
}

TEST_CASE("statistics: layers that come later or are left out, and numbers that are not finite") {
  StatisticsLog log;
  const auto take = [&](int64_t step, const std::string& path, double ratio) {
    REQUIRE(log.take(UpdateStatistics{.step = step, .ratios = {{path, ratio}}}.line()));
  };
  take(1, "a", 1);
  take(2, "c", 7);
  take(3, "a", static_cast<double>(NAN));
  const json all = json::parse(log.json("updates", "ratio"));
  CHECK(all["rows"] == json({"a", "c"}));
  CHECK(all["values"] == json({{1, nullptr, nullptr}, {nullptr, 7, nullptr}}));
  // A column of several lines: what is not finite hides the rest, what is missing does not.
  CHECK(json::parse(log.json("updates", "ratio", 1))["values"] == json::parse("[[null],[7]]"));
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
    CHECK(std::ranges::count(values.get<std::vector<double>>(), 1000) == 1);
    if (most > 3) CHECK(std::ranges::count(values.get<std::vector<double>>(), -500) == 1);
    CHECK(norms["step"][0] == 0);
    for (size_t i = 0; i < values.size(); ++i) {
      const int64_t begin = norms["step"][i],
                    end = i + 1 < values.size() ? norms["step"][i + 1].get<int64_t>() : lines;
      if (begin <= 1234 && 1234 < end) CHECK(values[i] == 1000);
    }
  }
}

TEST_CASE("statistics: rows beyond all measure are left out") {
  UpdateStatistics many{.step = 1};
  for (size_t i = 0; i < StatisticsLog::most_rows + 5; ++i) many.ratios.emplace_back(std::to_string(i), 1);
  StatisticsLog log;
  CHECK(log.take(many.line()));
  CHECK(log.left_out());
  CHECK(log.rows() == StatisticsLog::most_rows);
}

}  // namespace weft::tools
