// Pictures of figures on a dark ground, and questions about them: which, how many, where, and what is at
// every patch.
#pragma once

#include <weft/data/generators/draws.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weft {

enum class Figure { circle, square, triangle, cross, diamond, ring };
inline constexpr int64_t figures_in_all = 6;

/// A figure within the circle of `radius` around (x, y), in pixels from the upper left corner, y downwards.
struct PlacedFigure {
  Figure figure = Figure::circle;
  float x = 0, y = 0, radius = 0;
  std::array<float, 3> color{};  ///< red, green, blue in [0, 1]
};

struct Scene {
  static constexpr int64_t channels = 3, height = 32, width = 32, patch = 4;
  static constexpr int64_t pixels = height * width;
  static constexpr int64_t patches = (height / patch) * (width / patch);

  float ground = 0;                   ///< grey of the ground, in [0, 0.25]
  std::vector<PlacedFigure> figures;  ///< each over those before it
  int64_t label = 0;                  ///< the answer, but to what is at every patch

  /// Everything but the label, in bytes: what the split goes by.
  std::string content() const;
  /// The figure that is seen at the middle of each pixel, by its place in `figures`; -1 for the ground.
  std::array<int8_t, pixels> visible() const;
};

/// One big figure of any of the six kinds, radius 6 to 11, beside two small ones: which is it?
Scene draw_which(Draws& draws);
/// 1 to 5 figures of any kind, radius 2.5 to 4, none touching another: how many? The label is the number
/// less 1.
Scene draw_count(Draws& draws);
/// One big figure, radius 5 to 7, beside three small ones: in which cell of a grid of three by three is its
/// middle, row by row? It is at least one pixel away from the next cell.
Scene draw_where(Draws& draws);
/// One to three circles, squares, triangles and crosses, radius 5 to 9; circles around them overlap by two
/// pixels at most.
Scene draw_segments(Draws& draws);
inline constexpr int64_t most_counted = 5;
inline constexpr int64_t figures_of_segments = 4;  ///< the first of Figure

/// Pixels (channels, height, width) in about [-1, 1]: colors without shading, twice themselves less 1, plus
/// noise that is uniform in [-0.15, 0.15), from (key, sample).
void render(const Scene& scene, RandomKey key, uint64_t sample, std::span<float> pixels);
/// What each patch shows most of, row by row: 0 for the ground, else 1 + Figure; the least on a tie.
std::array<int64_t, Scene::patches> patch_labels(const Scene& scene);

}  // namespace weft
