// A line chart as an SVG file, for examples: a browser shows it in light and in dark.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

struct Curve {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< x ascending
};

struct Chart {
  std::string title, x, y;
  bool log_x = false, log_y = false;  ///< to the base 2; all values must be above 0 then
  std::vector<Curve> curves = {};
};

/// Draws charts below one another.
inline void draw_charts(const std::string& path, const std::vector<Chart>& charts) {
  constexpr double width = 640, height = 320, left = 64, right = 120, top = 36, bottom = 48;
  const char* const colours[] = {"#2563eb", "#dc2626", "#059669", "#a855f7"};
  std::ofstream svg(path);
  svg << "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 " << width << ' '
      << height * static_cast<double>(charts.size())
      << "' font-family='sans-serif' "
         "font-size='11'>\n<style>svg{background:#fff;color:#222}text{fill:currentColor}"
         "@media(prefers-color-scheme:dark){svg{background:#111;color:#ddd}}</style>\n";
  const auto number = [](double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return std::string(text);
  };
  for (size_t c = 0; c < charts.size(); ++c) {
    const Chart& chart = charts[c];
    const auto place_x = [&](double v) { return chart.log_x ? std::log2(v) : v; };
    const auto place_y = [&](double v) { return chart.log_y ? std::log2(v) : v; };
    double x0 = 1e300, x1 = -1e300, y0 = 1e300, y1 = -1e300;
    for (const Curve& curve : chart.curves)
      for (const auto& [x, y] : curve.points) {
        x0 = std::min(x0, place_x(x)), x1 = std::max(x1, place_x(x));
        y0 = std::min(y0, place_y(y)), y1 = std::max(y1, place_y(y));
      }
    if (!(x1 > x0)) x1 = x0 + 1;
    if (!(y1 > y0)) y1 = y0 + 1;
    const auto at_x = [&](double v) { return left + (v - x0) / (x1 - x0) * (width - left - right); };
    const auto at_y = [&](double v) {
      return height - bottom - (v - y0) / (y1 - y0) * (height - top - bottom);
    };
    svg << "<g transform='translate(0 " << height * static_cast<double>(c) << ")'><text x='" << left
        << "' y='20' font-size='13' font-weight='bold'>" << chart.title << "</text>\n";
    for (int i = 0; i <= 4; ++i) {
      const double vx = x0 + (x1 - x0) * i / 4, vy = y0 + (y1 - y0) * i / 4;
      svg << "<line x1='" << left << "' x2='" << width - right << "' y1='" << at_y(vy) << "' y2='" << at_y(vy)
          << "' stroke='currentColor' opacity='.15'/><text text-anchor='end' x='" << left - 6 << "' y='"
          << at_y(vy) + 4 << "'>" << number(chart.log_y ? std::exp2(vy) : vy)
          << "</text><text text-anchor='middle' x='" << at_x(vx) << "' y='" << height - bottom + 16 << "'>"
          << number(chart.log_x ? std::exp2(vx) : vx) << "</text>\n";
    }
    svg << "<text text-anchor='middle' x='" << (left + width - right) / 2 << "' y='" << height - 12 << "'>"
        << chart.x << "</text><text transform='translate(14 " << height / 2
        << ") rotate(-90)' text-anchor='middle'>" << chart.y << "</text>\n";
    for (size_t k = 0; k < chart.curves.size(); ++k) {
      const Curve& curve = chart.curves[k];
      svg << "<polyline fill='none' stroke-width='2' stroke='" << colours[k % 4] << "' points='";
      for (const auto& [x, y] : curve.points) svg << at_x(place_x(x)) << ',' << at_y(place_y(y)) << ' ';
      svg << "'/><text style='fill:" << colours[k % 4] << "' x='" << width - right + 8 << "' y='"
          << top + 16 * static_cast<double>(k + 1) << "'>" << curve.name << "</text>\n";
    }
    svg << "</g>\n";
  }
  svg << "</svg>\n";
}
