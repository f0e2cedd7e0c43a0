#include <doctest/doctest.h>
#include <weft/lib/base/error.h>
#include <weft/train/show/line_chart.h>

#include <cmath>
#include <limits>

using namespace weft;

namespace {

int64_t count(const std::string& text, const std::string& part) {
  int64_t times = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++times;
  return times;
}

/// The points of the first curve.
std::string points_of(const std::string& svg) {
  const std::string begin = "points='";
  const size_t from = svg.find(begin) + begin.size();
  return svg.substr(from, svg.find('\'', from) - from);
}

LineChart chart_of(std::vector<std::pair<double, double>> points) {
  return {.title = "t", .x = "x", .y = "y", .series = {{.name = "s", .points = std::move(points)}}};
}

}  // namespace

TEST_CASE("line_chart: title, axes, and a legend of the series in their styles") {
  using Colour = ChartSeries::Colour;
  const std::string svg = line_chart(
      {.title = "a < b & c \xc3\xa9",
       .x = "updates",
       .y = "loss",
       .series = {
           {.name = "batch", .faint = true, .points = {{1, 2}, {2, 1}}},
           {.name = "val", .colour = Colour::orange, .dots = true, .points = {{1, 3}, {2, 2}, {1000, 1}}}}});
  CHECK(count(svg, "a &lt; b &amp; c ??") == 2);  // for screen readers, and to be seen
  for (const char* text :
       {">updates</text>", ">loss</text>", ">batch</text>", ">val</text>", ">1,000</text>"})
    CHECK_MESSAGE(count(svg, text) == 1, text);
  CHECK(count(svg, "class='curve blue faint'") == 2);  // the curve and its sample
  CHECK(count(svg, "class='curve orange'") == 2);
  CHECK(count(svg, "class='dot orange'") == 3 + 1);
  CHECK(count(svg, "class='dot blue'") == 0);
  CHECK(svg.find("prefers-color-scheme: dark") != std::string::npos);
  CHECK(svg.ends_with("</svg>\n"));
}

TEST_CASE("line_chart: values lie where the ticks say") {
  const std::string svg = line_chart(chart_of({{0, 0}, {5, 2.5}, {10, 5}}));
  CHECK(points_of(svg) == "64.0,428.0 436.0,240.0 808.0,52.0");
  CHECK(count(svg, "class='grid'") == 6);  // 0, 1, ..., 5
}

TEST_CASE("line_chart: an axis of powers that goes far has powers of ten") {
  LineChart chart = chart_of({{1e-6, 1}, {1e-3, 2}, {1, 3}});
  chart.log_x = true;
  const std::string svg = line_chart(chart);
  CHECK(points_of(svg) == "64.0,428.0 436.0,240.0 808.0,52.0");
  for (const char* text : {">1e-06</text>", ">0.001</text>", ">0.1</text>"})
    CHECK_MESSAGE(count(svg, text) == 1, text);
}

TEST_CASE("line_chart: the legend stands beside the title, and below a long one") {
  LineChart chart = chart_of({{1, 1}, {2, 2}});
  CHECK(count(line_chart(chart), " y='30.0' text-anchor='start'>s<") == 1);
  chart.title = std::string(90, 't');
  CHECK(count(line_chart(chart), " y='46.0' text-anchor='start'>s<") == 1);
}

TEST_CASE("line_chart: axes in powers of two") {
  LineChart chart = chart_of({{8, 0.25}, {0, 1}, {16, -1}, {32, 4}});
  chart.log_x = chart.log_y = true;
  const std::string svg = line_chart(chart);
  CHECK(points_of(svg) == "64.0,428.0 808.0,52.0");  // without those that have no logarithm
  for (const char* tick : {">8<", ">16<", ">32<", ">0.25<", ">0.5<", ">1<", ">2<", ">4<"})
    CHECK_MESSAGE(count(svg, tick) == 1, tick);
}

TEST_CASE("line_chart: long series are thinned, what is not finite is left out, nothing is a chart too") {
  std::vector<std::pair<double, double>> many;
  for (int i = 0; i < 6000; ++i) many.emplace_back(i, i % 2);
  const std::string thin = points_of(line_chart(chart_of(many)));
  CHECK(count(thin, ",") == 600);
  CHECK(thin.starts_with("64.6,"));  // the mean of 0 to 9

  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  CHECK(points_of(line_chart(chart_of({{0, 0}, {1, nan}, {2, inf}, {nan, 1}, {4, 1}}))) ==
        "64.0,428.0 808.0,52.0");
  CHECK(points_of(line_chart(chart_of({{0, 1e308}, {1, 0}, {2, -1e308}, {3, 2}}))) ==
        "64.0,428.0 808.0,52.0");
  for (const LineChart& empty : {LineChart{}, chart_of({}), chart_of({{3, 3}}), chart_of({{1e300, -1e300}}),
                                 chart_of({{0, 1e300}, {1, -1e300}})}) {
    const std::string svg = line_chart(empty);
    CHECK(svg.find("nan") == std::string::npos);
    CHECK(svg.find("inf") == std::string::npos);
    CHECK(svg.ends_with("</svg>\n"));
  }
}

TEST_CASE("line_charts: below one another") {
  const std::string svg = line_charts({chart_of({{0, 0}, {1, 1}}), chart_of({{0, 0}, {1, 1}})});
  CHECK(svg.find("viewBox='0 0 840 960'") != std::string::npos);
  CHECK(svg.find("<g transform='translate(0 480)'>") != std::string::npos);
  CHECK(count(svg, "<svg") == 1);
}
