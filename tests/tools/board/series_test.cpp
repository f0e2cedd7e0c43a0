// What is kept of a curve when it is drawn in few buckets.
#include <doctest/doctest.h>
#include <weft/lib/base/error.h>
#include <weft/tools/board/series.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "checks.h"

namespace weft::tools {
namespace {

using nlohmann::json;

/// Of `count` lines: step 10 i, 100 (i + 1) tokens, i / 2 seconds, loss `loss(i)`, and a norm that is not told.
template <class Loss>
Series series_of(size_t count, Loss loss) {
  Series series({"loss", "norm"});
  for (size_t i = 0; i < count; ++i)
    series.add(static_cast<int64_t>(10 * i), 100 * static_cast<double>(i + 1), static_cast<double>(i) / 2,
               std::vector<double>{loss(i), untold});
  return series;
}

json shown(const Series& series, const Series::Cut& cut) { return json::parse(series.json(cut)); }

}  // namespace

TEST_CASE("series: few lines are shown as they are") {
  const Series series = series_of(3, [](size_t i) { return 3 - static_cast<double>(i); });
  const json all = shown(series, series.whole(3));
  CHECK(all == json{{"level", 0},
                    {"first", 0},
                    {"count", 3},
                    {"step", {0, 10, 20}},
                    {"tokens", {100, 200, 300}},
                    {"seconds", {0, 0.5, 1}},
                    {"loss", {3, 2, 1}}});
  CHECK(series.tells("loss"));
  CHECK_FALSE(series.tells("norm"));
  CHECK_THROWS_AS(series.tells("lr"), ValueError);
  CHECK(shown(Series({"loss"}), Series({"loss"}).whole(10))["step"].empty());
}

TEST_CASE("series: of every bucket the smallest, the mean and the largest value stay") {
  // One line of 100,000 stands out up, one down.
  const Series series = series_of(100'000, [](size_t i) {
    return i == 54'321 ? 9.0 : i == 77'777 ? 0.25 : 2.0;
  });
  for (const size_t most : {1, 7, 1000, 1600, 99'999}) {
    CAPTURE(most);
    const Series::Cut cut = series.whole(most);
    CHECK(cut.end <= most);
    if (most > 1) CHECK(cut.end > most / 2);
    const json all = shown(series, cut);
    CHECK(all["loss"]["max"].size() == cut.end);
    const auto largest = all["loss"]["max"].get<std::vector<double>>();
    const auto least = all["loss"]["min"].get<std::vector<double>>();
    const auto highest = std::ranges::max_element(largest), lowest = std::ranges::min_element(least);
    CHECK(*highest == 9);
    CHECK(*lowest == 0.25);
    CHECK(highest - largest.begin() == 54'321 >> cut.level);
    CHECK(lowest - least.begin() == 77'777 >> cut.level);
    double sum = 0;
    const size_t width = size_t{1} << cut.level;
    for (size_t k = 0; k < cut.end; ++k)
      sum += all["loss"]["mean"][k].get<double>() *
             static_cast<double>(std::min(width, series.size() - k * width));
    CHECK(sum == doctest::Approx(2.0 * 99'998 + 9.25).epsilon(1e-6));
  }
}

TEST_CASE("series: what is added changes the last bucket alone, until the level rises") {
  Series series({"loss"});
  json before;
  int rises = 0;
  for (int64_t i = 0; i < 300; ++i) {
    series.add(i, untold, untold, std::vector<double>{std::sin(static_cast<double>(i))});
    const json now = shown(series, series.whole(64));
    if (!before.is_null() && before["level"] == now["level"] && now["level"] > 0)
      for (size_t k = 0; k + 1 < before["step"].size(); ++k)
        for (const char* part : {"min", "mean", "max"})
          CHECK(now["loss"][part][k] == before["loss"][part][k]);
    rises += !before.is_null() && before["level"] != now["level"];
    before = now;
  }
  CHECK(rises == 3);
}

TEST_CASE("series: a part is shown finer, with one bucket beyond each edge") {
  const Series series = series_of(1000, [](size_t i) { return static_cast<double>(i); });
  const json part = shown(series, series.between(Series::Axis::step, 2000, 2090, 10));
  CHECK(part["level"] == 0);
  CHECK(part["first"] == 199);
  CHECK(part["loss"].front() == 199);
  CHECK(part["loss"].back() == 210);
  CHECK(shown(series, series.between(Series::Axis::tokens, 20'100, 21'000, 10))["loss"] == part["loss"]);
  CHECK(shown(series, series.between(Series::Axis::seconds, 100, 104.5, 10))["loss"] == part["loss"]);
  const json coarse = shown(series, series.between(Series::Axis::step, 2000, 2990, 10));
  CHECK(coarse["level"] == 4);
  CHECK(coarse["loss"]["min"][1] == 192);
  CHECK(coarse["loss"]["max"].size() <= 10 + 3);
  CHECK(shown(series, series.between(Series::Axis::step, 1e9, 2e9, 10))["loss"].back() == 999);
  CHECK(shown(series, series.between(Series::Axis::step, -5, -1, 10))["loss"].front() == 0);
  CHECK(shown(series, series.between(Series::Axis::step, 50, 10, 10))["level"] == 0);
  CHECK(shown(Series({"loss"}), Series({"loss"}).between(Series::Axis::step, 0, 1, 10))["step"].empty());
}

TEST_CASE("series: a part of an axis that some lines do not tell") {
  Series series({"loss"});
  for (int64_t i = 0; i < 10; ++i)
    series.add(i, i < 3 || i == 5 || i == 9 ? untold : static_cast<double>(100 * i), untold,
               std::vector<double>{static_cast<double>(i)});
  const auto part = [&](double from, double to) {
    return shown(series, series.between(Series::Axis::tokens, from, to, 100));
  };
  CHECK(part(0, 400)["loss"] == json({2, 3, 4, 5}));
  CHECK(part(0, 400)["tokens"] == json({nullptr, 300, 400, nullptr}));
  CHECK(part(450, 700)["loss"] == json({5, 6, 7, 8}));
  CHECK(part(600, 1e9)["loss"] == json({5, 6, 7, 8, 9}));
  CHECK(part(350, 750)["loss"] == json({3, 4, 5, 6, 7, 8}));
}

TEST_CASE("series: what is not finite is null, and does not hide the rest of its bucket") {
  Series series({"loss"});
  const double infinity = INFINITY;
  for (const double loss : {1.0, static_cast<double>(NAN), 3.0, infinity, untold, infinity})
    series.add(static_cast<int64_t>(series.size()), untold, 1, std::vector<double>{loss});
  CHECK(shown(series, series.whole(6))["loss"] == json({1, nullptr, 3, nullptr, nullptr, nullptr}));
  const json halves = shown(series, series.whole(3))["loss"];
  CHECK(halves["mean"] == json({1, 3, nullptr}));
  CHECK(halves["max"] == json({1, 3, nullptr}));
  CHECK_FALSE(shown(series, series.whole(3)).contains("tokens"));
}

}  // namespace weft::tools
