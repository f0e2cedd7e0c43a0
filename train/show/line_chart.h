// Line charts as SVG texts, files that a browser shows in light and in dark.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace weft {

/// A curve of a chart and its line in the legend.
struct ChartSeries {
  /// Told apart also by those who see red and green as one.
  enum class Colour { blue, orange, green, purple };

  std::string name;
  Colour colour = Colour::blue;
  bool faint = false;                               ///< thin and pale, for what lies behind the others
  bool dots = false;                                ///< a dot at each point
  std::vector<std::pair<double, double>> points{};  ///< x ascending
};

struct LineChart {
  std::string title, x, y;            ///< what stands above it and at its axes
  bool log_x = false, log_y = false;  ///< in powers of two, or of ten where they go far
  std::vector<ChartSeries> series{};  ///< the first lies behind the next
};

/// The picture, charts below one another. A series of more than 600 points is drawn by the means of 600 equal
/// stretches. Points that are not finite, beyond 1e300, or not above 0 on an axis of powers are left out. What
/// is no printable ASCII is shown as '?'.
std::string line_chart(const LineChart& chart);
std::string line_charts(const std::vector<LineChart>& charts);

}  // namespace weft
