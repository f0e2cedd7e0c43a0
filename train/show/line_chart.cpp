#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>
#include <weft/lib/base/math.h>
#include <weft/lib/base/values.h>
#include <weft/train/show/line_chart.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

namespace weft {
namespace {

constexpr double width = 840, height = 480, left = 64, right = 32, top = 52, bottom = 52;
constexpr size_t most_points = 600;
/// Differences of such values are finite.
constexpr double most_value = 1e300;

// The dark colours are lighter.
constexpr const char* style = R"(<style>
  svg { font: 13px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; }
  .paper { fill: #ffffff; } text { fill: #3c4043; } .title { font-size: 16px; font-weight: 600; }
  .grid { stroke: #e4e7eb; } .axis { stroke: #80868b; }
  .blue { color: #1f6fb8; } .orange { color: #d9730d; } .green { color: #00875f; } .purple { color: #9150c8; }
  .curve { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; } .dot { fill: currentColor; }
  .faint { stroke-width: 1; stroke-opacity: 0.5; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #16181d; } text { fill: #d5d9e0; } .grid { stroke: #2b2f37; } .axis { stroke: #7d8590; }
    .blue { color: #6cb2f5; } .orange { color: #ffa657; } .green { color: #4cc9a0; } .purple { color: #c9a3f5; }
  }
</style>
)";

using Point = std::pair<double, double>;

const char* name_of(ChartSeries::Colour colour) {
  constexpr const char* names[] = {"blue", "orange", "green", "purple"};
  return names[static_cast<size_t>(colour)];
}

/// Means of equal stretches, so that the file stays small however long the run.
std::vector<Point> thinned(const std::vector<Point>& points) {
  if (points.size() <= most_points) return points;
  std::vector<Point> result;
  for (size_t i = 0; i < most_points; ++i) {
    const size_t begin = i * points.size() / most_points, end = (i + 1) * points.size() / most_points;
    double x = 0, y = 0;
    for (size_t j = begin; j < end; ++j) x += points[j].first, y += points[j].second;
    const auto n = static_cast<double>(end - begin);
    result.emplace_back(x / n, y / n);
  }
  return result;
}

/// One axis: round ticks over [low, high], and where a value lies on the paper.
class Axis {
 public:
  Axis(bool log, double from, double to, int ticks) : log_(log), from_(from), to_(to), most_ticks_(ticks) {}

  bool takes(double value) const { return std::abs(value) <= most_value && (!log_ || value > 0); }
  void cover(double value) {
    low_ = std::min(low_, scaled(value)), high_ = std::max(high_, scaled(value));
    whole_ = whole_ && (log_ || value == std::floor(value));
  }
  /// Once it covers all values. The low end is a tick; the high end too where that is asked for.
  void settle(bool round_high) {
    if (!(low_ <= high_)) low_ = 0, high_ = 1;
    if (low_ == high_) high_ += std::max(1.0, std::abs(low_));
    const double wanted = (high_ - low_) / most_ticks_;
    double power = 1;
    while (power * 10 <= wanted) power *= 10;
    while (power > wanted) power /= 10;
    step_ = power * (wanted <= power * 2 ? 2 : wanted <= power * 5 ? 5 : 10);
    if (whole_) step_ = std::max(1.0, step_);
    if (log_) {
      constexpr double most_doublings = 12, doublings_of_ten = 3.321928094887362;
      unit_ = high_ - low_ > most_doublings ? doublings_of_ten : 1;
      step_ = std::ceil(wanted / unit_) * unit_;
    }
    low_ = std::floor(low_ / step_ + 1e-9) * step_;
    if (round_high) high_ = std::ceil(high_ / step_ - 1e-9) * step_;
  }

  double at(double value) const { return from_ + (scaled(value) - low_) / (high_ - low_) * (to_ - from_); }
  std::vector<double> ticks() const {
    std::vector<double> values;
    for (int i = 0; low_ + i * step_ <= high_ + step_ * 1e-6; ++i) {
      const double tick = low_ + i * step_;
      const auto power = static_cast<int>(std::lround(tick / unit_));
      values.push_back(!log_ ? tick : unit_ == 1 ? std::ldexp(1.0, power) : std::stod(str("1e", power)));
    }
    return values;
  }
  std::string label(double tick) const {
    if (std::abs(tick) >= 1e15 || (log_ && tick < 1)) return brief(tick);
    int digits = 0;
    for (double s = step_; !log_ && digits < 8 && std::abs(s - std::round(s)) > 1e-6; s *= 10) ++digits;
    return digits > 0 ? fixed(tick, digits) : grouped(std::llround(tick));
  }

 private:
  double scaled(double value) const { return log_ ? math::log(value) / math::log(2.0) : value; }

  bool log_, whole_ = true;
  double from_, to_;
  int most_ticks_;
  double low_ = std::numeric_limits<double>::infinity(), high_ = -low_, step_ = 1;
  double unit_ = 1;  // of the powers, in doublings
};

/// What XML cannot hold as it is; a name may be any bytes, so what is no ASCII is not shown.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else
      result += c >= 0x20 && c < 0x7f ? c : '?';
  }
  return result;
}

std::string words(double x, double y, const char* anchor, const std::string& text,
                  const std::string& more = "") {
  return str("<text x='", fixed(x, 1), "' y='", fixed(y, 1), "' text-anchor='", anchor, "'", more, ">",
             escaped(text), "</text>\n");
}

std::string line(double x1, double y1, double x2, double y2, const char* name) {
  return str("<line class='", name, "' x1='", fixed(x1, 1), "' y1='", fixed(y1, 1), "' x2='", fixed(x2, 1),
             "' y2='", fixed(y2, 1), "'/>\n");
}

std::string curve(const ChartSeries& series, const std::vector<Point>& places) {
  const auto place = [](const Point& p) { return str(fixed(p.first, 1), ",", fixed(p.second, 1)); };
  return str("<polyline class='curve ", name_of(series.colour), series.faint ? " faint" : "", "' points='",
             joined(places, " ", place), "'/>\n");
}

std::string dots(const ChartSeries& series, const std::vector<Point>& places) {
  std::string text;
  for (const auto& [x, y] : places)
    text += str("<circle class='dot ", name_of(series.colour), "' r='2.5' cx='", fixed(x, 1), "' cy='",
                fixed(y, 1), "'/>\n");
  return text;
}

/// From the right end of the title's line to the left, or below it where it is long; text is about so wide.
std::string legend(const std::vector<ChartSeries>& all, const std::string& title) {
  constexpr double sample = 26, gap = 7, between = 22, letter = 6.8, letter_of_title = 8.8;
  std::string text;
  double end = width - right, taken = 0;
  for (const ChartSeries& series : all)
    taken += static_cast<double>(series.name.size()) * letter + gap + sample + between;
  const bool below = left + static_cast<double>(title.size()) * letter_of_title > end - taken;
  const double base = below ? 46 : 30, middle = base - 5;
  for (auto series = all.rbegin(); series != all.rend(); ++series) {
    const double begin = end - static_cast<double>(series->name.size()) * letter;
    text += words(begin, base, "start", series->name);
    const std::vector<Point> places = {{begin - gap - sample, middle}, {begin - gap, middle}};
    text += curve(*series, places);
    if (series->dots) text += dots(*series, {{begin - gap - sample / 2, middle}});
    end = begin - gap - sample - between;
  }
  return text;
}

std::string one(const LineChart& chart) {
  Axis x(chart.log_x, left, width - right, 8), y(chart.log_y, height - bottom, top, 6);
  std::vector<std::vector<Point>> curves;
  for (const ChartSeries& series : chart.series) {
    std::vector<Point> points;
    std::ranges::copy_if(series.points, std::back_inserter(points),
                         [&](const Point& p) { return x.takes(p.first) && y.takes(p.second); });
    curves.push_back(thinned(points));
    for (const Point& p : points) x.cover(p.first);
    for (const Point& p : curves.back()) y.cover(p.second);
  }
  x.settle(false);
  y.settle(true);

  std::string svg = words(left, 30, "start", chart.title, " class='title'");
  for (const double tick : y.ticks()) {
    svg += line(left, y.at(tick), width - right, y.at(tick), "grid");
    svg += words(left - 8, y.at(tick) + 4.5, "end", y.label(tick));
  }
  for (const double tick : x.ticks()) {
    svg += line(x.at(tick), height - bottom, x.at(tick), height - bottom + 5, "axis");
    svg += words(x.at(tick), height - bottom + 20, "middle", x.label(tick));
  }
  svg += line(left, height - bottom, width - right, height - bottom, "axis");
  svg += words((left + width - right) / 2, height - 10, "middle", chart.x);
  svg += words(0, 0, "middle", chart.y,
               str(" transform='translate(18 ", fixed((top + height - bottom) / 2, 1), ") rotate(-90)'"));
  for (size_t i = 0; i < curves.size(); ++i) {
    for (Point& p : curves[i]) p = {x.at(p.first), y.at(p.second)};
    svg += curve(chart.series[i], curves[i]);
  }
  for (size_t i = 0; i < curves.size(); ++i)
    if (chart.series[i].dots) svg += dots(chart.series[i], curves[i]);
  return svg + legend(chart.series, chart.title);
}

}  // namespace

std::string line_chart(const LineChart& chart) { return line_charts({chart}); }

std::string line_charts(const std::vector<LineChart>& charts) {
  const double whole = height * static_cast<double>(charts.size());
  std::string svg =
      str("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 ", width, " ", whole, "' width='", width,
          "' height='", whole, "' role='img'>\n<title>", escaped(joined(charts, ", ", &LineChart::title)),
          "</title>\n", style, "<rect class='paper' width='", width, "' height='", whole, "'/>\n");
  for (size_t i = 0; i < charts.size(); ++i)
    svg +=
        str("<g transform='translate(0 ", height * static_cast<double>(i), ")'>\n", one(charts[i]), "</g>\n");
  return svg + "</svg>\n";
}

}  // namespace weft
