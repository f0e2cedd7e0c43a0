#include "loss_plot.h"

#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace weft {
namespace {

constexpr double width = 840, height = 480, left = 64, right = 24, top = 52, bottom = 52;
constexpr size_t most_points = 600;

// Colours told apart by those who see red and green as one; the dark ones are lighter.
constexpr const char* style = R"(<style>
  svg { font: 13px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; }
  .paper { fill: #ffffff; } text { fill: #3c4043; } .title { font-size: 16px; font-weight: 600; }
  .grid { stroke: #e4e7eb; } .axis { stroke: #80868b; } .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
  .batch { stroke: #5d94cf; stroke-width: 1; stroke-opacity: 0.6; } .train { stroke: #1f6fb8; } .val { stroke: #d9730d; }
  .train-dot { fill: #1f6fb8; } .val-dot { fill: #d9730d; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #16181d; } text { fill: #d5d9e0; } .grid { stroke: #2b2f37; } .axis { stroke: #7d8590; }
    .batch { stroke: #86b0dc; } .train { stroke: #6cb2f5; } .val { stroke: #ffa657; }
    .train-dot { fill: #6cb2f5; } .val-dot { fill: #ffa657; }
  }
</style>
)";

struct Point {
  double x, y;
};

/// Means of equal stretches, so that the file stays small however long the run.
std::vector<Point> thinned(const std::vector<Point>& points) {
  if (points.size() <= most_points) return points;
  std::vector<Point> result;
  for (size_t i = 0; i < most_points; ++i) {
    const size_t begin = i * points.size() / most_points, end = (i + 1) * points.size() / most_points;
    Point sum{0, 0};
    for (size_t j = begin; j < end; ++j) sum = {sum.x + points[j].x, sum.y + points[j].y};
    const auto n = static_cast<double>(end - begin);
    result.push_back({sum.x / n, sum.y / n});
  }
  return result;
}

/// One axis: round ticks over [low, high], and where a value lies on the paper.
struct Axis {
  double low, high, step, from, to;

  Axis(double least, double most, double paper_from, double paper_to, int ticks, bool whole)
      : from(paper_from), to(paper_to) {
    if (!(most > least)) most = least + 1;
    const double wanted = (most - least) / ticks;
    double power = 1;
    while (power * 10 <= wanted) power *= 10;
    while (power > wanted) power /= 10;
    step = power * (wanted <= power * 2 ? 2 : wanted <= power * 5 ? 5 : 10);
    if (whole) step = std::max(1.0, step);
    low = std::floor(least / step) * step;
    high = whole ? most : std::ceil(most / step) * step;
  }
  double at(double value) const { return from + (value - low) / (high - low) * (to - from); }
  int digits() const {
    int count = 0;
    for (double s = step; count < 8 && std::abs(s - std::round(s)) > 1e-6; s *= 10) ++count;
    return count;
  }
  std::vector<double> ticks() const {
    std::vector<double> values;
    for (int i = 0; low + i * step <= high + step * 1e-6; ++i) values.push_back(low + i * step);
    return values;
  }
};

std::string curve(const std::vector<Point>& points, const char* name, const Axis& x, const Axis& y) {
  std::string text = str("<polyline class='curve ", name, "' points='");
  for (const Point& p : points) text += fixed(x.at(p.x), 1) + "," + fixed(y.at(p.y), 1) + " ";
  return text + "'/>\n";
}

std::string dots(const std::vector<Point>& points, const char* name, const Axis& x, const Axis& y) {
  std::string text;
  for (const Point& p : points)
    text += str("<circle class='", name, "-dot' r='2.5' cx='", fixed(x.at(p.x), 1), "' cy='",
                fixed(y.at(p.y), 1), "'/>\n");
  return text;
}

std::string words(double x, double y, const char* anchor, const std::string& text,
                  const std::string& more = "") {
  return str("<text x='", fixed(x, 1), "' y='", fixed(y, 1), "' text-anchor='", anchor, "'", more, ">", text,
             "</text>\n");
}

std::string line(double x1, double y1, double x2, double y2, const char* name) {
  return str("<line class='", name, "' x1='", fixed(x1, 1), "' y1='", fixed(y1, 1), "' x2='", fixed(x2, 1),
             "' y2='", fixed(y2, 1), "'/>\n");
}

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

}  // namespace

std::string loss_plot(const std::string& title, const std::vector<Update>& updates,
                      const std::vector<Evaluation>& evaluations) {
  std::vector<Point> batch, train, val;
  for (const Update& u : updates) batch.push_back({static_cast<double>(u.step), u.loss});
  for (const Evaluation& e : evaluations) {
    train.push_back({static_cast<double>(e.step), e.train_loss});
    val.push_back({static_cast<double>(e.step), e.val_loss});
  }
  batch = thinned(batch), train = thinned(train), val = thinned(val);

  double least = std::numeric_limits<double>::infinity(), most = -least, last = 1;
  for (const auto* points : {&batch, &train, &val})
    for (const Point& p : *points) {
      least = std::min(least, p.y), most = std::max(most, p.y);
      last = std::max(last, p.x);
    }
  if (!(least <= most)) least = 0, most = 1;
  const Axis x(0, last, left, width - right, 8, true), y(least, most, height - bottom, top, 6, false);

  std::string svg =
      str("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 ", width, " ", height, "' width='", width,
          "' height='", height, "' role='img'>\n<title>", escaped(title), "</title>\n", style,
          "<rect class='paper' width='", width, "' height='", height, "'/>\n");
  svg += words(left, 30, "start", escaped(title), " class='title'");
  for (const double tick : y.ticks()) {
    svg += line(left, y.at(tick), width - right, y.at(tick), "grid");
    svg += words(left - 8, y.at(tick) + 4.5, "end", fixed(tick, y.digits()));
  }
  for (const double tick : x.ticks()) {
    svg += line(x.at(tick), height - bottom, x.at(tick), height - bottom + 5, "axis");
    svg += words(x.at(tick), height - bottom + 20, "middle", grouped(std::llround(tick)));
  }
  svg += line(left, height - bottom, width - right, height - bottom, "axis");
  svg += words((left + width - right) / 2, height - 10, "middle", "updates");
  svg += words(0, 0, "middle", "loss, nats a token",
               str(" transform='translate(18 ", fixed((top + height - bottom) / 2, 1), ") rotate(-90)'"));
  svg += curve(batch, "batch", x, y) + curve(train, "train", x, y) + curve(val, "val", x, y);
  svg += dots(train, "train", x, y) + dots(val, "val", x, y);

  for (const auto& [name, label, from_right] : {std::tuple("batch", "each batch", 345.0),
                                                {"train", "training", 220.0},
                                                {"val", "validation", 105.0}}) {
    const double at = width - right - from_right;
    svg += str("<polyline class='curve ", name, "' points='", fixed(at, 1), ",25 ", fixed(at + 26, 1),
               ",25'/>\n");
    svg += words(at + 33, 30, "start", label);
  }
  return svg + "</svg>\n";
}

}  // namespace weft
