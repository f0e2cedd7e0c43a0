#include <weft/data/generators/scenes.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace weft {
namespace {

constexpr float noise = 0.15F;
constexpr int64_t cells = 3;  // of a row of the grid of draw_where
constexpr float cell = static_cast<float>(Scene::width) / cells;

// Each has two or three light channels, none of them says which figure it is.
const std::vector<std::array<float, 3>> palette = {{1.0F, 0.3F, 0.2F}, {0.2F, 1.0F, 0.3F}, {0.3F, 0.5F, 1.0F},
                                                   {1.0F, 1.0F, 0.2F}, {1.0F, 0.3F, 1.0F}, {0.2F, 1.0F, 1.0F},
                                                   {1.0F, 1.0F, 1.0F}};

/// In steps of 1/64, so that scenes can coincide only where they are the same.
float draw_length(Draws& draws, float low, float high) {
  const auto steps = static_cast<int64_t>((high - low) * 64);
  return low + static_cast<float>(draws.between(0, steps)) / 64;
}

Figure draw_figure(Draws& draws, int64_t kinds = figures_in_all) {
  return static_cast<Figure>(draws.below(static_cast<uint64_t>(kinds)));
}

/// A figure of some kind and color, not yet placed.
PlacedFigure draw_body(Draws& draws, Figure figure, float least, float most) {
  PlacedFigure body{
      .figure = figure, .radius = draw_length(draws, least, most), .color = draws.one_of(palette)};
  const float light = draw_length(draws, 0.75F, 1.0F);
  for (float& channel : body.color) channel *= light;
  return body;
}

void draw_place(Draws& draws, PlacedFigure& body) {
  body.x = draw_length(draws, body.radius, static_cast<float>(Scene::width) - body.radius);
  body.y = draw_length(draws, body.radius, static_cast<float>(Scene::height) - body.radius);
}

/// Whether the circle around `body` stays `gap` away from those of the figures there; below 0 they may
/// overlap.
bool fits(const Scene& scene, const PlacedFigure& body, float gap) {
  return std::ranges::all_of(scene.figures, [&](const PlacedFigure& other) {
    const float x = body.x - other.x, y = body.y - other.y, apart = body.radius + other.radius + gap;
    return x * x + y * y >= apart * apart;
  });
}

/// Whether a place was found in a few tries.
bool place(Draws& draws, Scene& scene, PlacedFigure body, float gap) {
  for (int attempt = 0; attempt < 20; ++attempt) {
    draw_place(draws, body);
    if (!fits(scene, body, gap)) continue;
    scene.figures.push_back(body);
    return true;
  }
  return false;
}

bool place_small(Draws& draws, Scene& scene, int64_t count) {
  for (; count > 0; --count)
    if (!place(draws, scene, draw_body(draws, draw_figure(draws), 2.0F, 3.0F), 1.0F)) return false;
  return true;
}

/// Draws until compose(scene) found a place for everything. A single figure always has one, and what comes
/// after has with more than even odds, so that this ends.
template <class Compose>
Scene draw_scene(Draws& draws, Compose compose) {
  while (true) {
    Scene scene{.ground = draw_length(draws, 0.0F, 0.25F), .figures = {}};
    if (compose(scene)) return scene;
  }
}

bool inside(Figure figure, float x, float y, float radius) {
  const float across = std::fabs(x), down = std::fabs(y), square = x * x + y * y;
  switch (figure) {
    case Figure::circle:
      return square <= radius * radius;
    case Figure::square:
      return std::max(across, down) <= 0.7F * radius;
    case Figure::triangle:
      return y <= 0.7F * radius && across <= 0.42F * (y + radius);
    case Figure::cross:
      return std::max(across, down) <= 0.95F * radius && std::min(across, down) <= 0.28F * radius;
    case Figure::diamond:
      return across + down <= radius;
    case Figure::ring:
      return square <= radius * radius && square >= 0.36F * radius * radius;
  }
  return false;
}

}  // namespace

std::string Scene::content() const {
  std::string text = str(ground);
  for (const PlacedFigure& one : figures) {
    text += str(";", static_cast<int>(one.figure), ",", one.x, ",", one.y, ",", one.radius);
    for (const float channel : one.color) text += str(",", channel);
  }
  return text;
}

std::array<int8_t, Scene::pixels> Scene::visible() const {
  std::array<int8_t, pixels> seen;
  seen.fill(-1);
  for (size_t number = 0; number < figures.size(); ++number) {
    const PlacedFigure& one = figures[number];
    const auto first = [](float middle, float radius) {
      return std::max<int64_t>(0, static_cast<int64_t>(middle - radius));
    };
    const auto last = [](float middle, float radius, int64_t size) {
      return std::min(size - 1, static_cast<int64_t>(middle + radius));
    };
    for (int64_t row = first(one.y, one.radius); row <= last(one.y, one.radius, height); ++row)
      for (int64_t column = first(one.x, one.radius); column <= last(one.x, one.radius, width); ++column)
        if (inside(one.figure, static_cast<float>(column) + 0.5F - one.x,
                   static_cast<float>(row) + 0.5F - one.y, one.radius))
          seen[static_cast<size_t>(row * width + column)] = static_cast<int8_t>(number);
  }
  return seen;
}

Scene draw_which(Draws& draws) {
  return draw_scene(draws, [&](Scene& scene) {
    const Figure figure = draw_figure(draws);
    scene.label = static_cast<int64_t>(figure);
    return place(draws, scene, draw_body(draws, figure, 6.0F, 11.0F), 0.0F) && place_small(draws, scene, 2);
  });
}

Scene draw_count(Draws& draws) {
  // Not drawn anew with the rest, or many would be rarer than few.
  const int64_t count = draws.between(1, most_counted);
  return draw_scene(draws, [&](Scene& scene) {
    scene.label = count - 1;
    for (int64_t i = 0; i < count; ++i)
      if (!place(draws, scene, draw_body(draws, draw_figure(draws), 2.5F, 4.0F), 1.5F)) return false;
    return true;
  });
}

Scene draw_where(Draws& draws) {
  const int64_t label = draws.between(0, cells * cells - 1);
  return draw_scene(draws, [&](Scene& scene) {
    scene.label = label;
    PlacedFigure body = draw_body(draws, draw_figure(draws), 5.0F, 7.0F);
    const auto coordinate = [&](int64_t at) {
      const float begin = static_cast<float>(at) * cell, size = static_cast<float>(Scene::width);
      return draw_length(draws, std::max(body.radius, begin + 1),
                         std::min(size - body.radius, begin + cell - 1));
    };
    body.x = coordinate(label % cells);
    body.y = coordinate(label / cells);
    scene.figures.push_back(body);
    return place_small(draws, scene, 3);
  });
}

Scene draw_segments(Draws& draws) {
  const int64_t count = draws.between(1, 3);
  return draw_scene(draws, [&](Scene& scene) {
    for (int64_t i = 0; i < count; ++i)
      if (!place(draws, scene, draw_body(draws, draw_figure(draws, figures_of_segments), 5.0F, 9.0F), -2.0F))
        return false;
    return true;
  });
}

void render(const Scene& scene, RandomKey key, uint64_t sample, std::span<float> pixels) {
  if (pixels.size() != Scene::channels * Scene::pixels)
    fail<ValueError>("render: ", Scene::channels * Scene::pixels, " pixels are needed, found ",
                     pixels.size());
  const std::array<int8_t, Scene::pixels> seen = scene.visible();
  constexpr size_t numbers_a_block = 16;  // a byte is noise enough
  for (size_t channel = 0; channel < Scene::channels; ++channel) {
    // By one more than the place in `figures`: the ground comes first.
    std::vector<float> values = {2 * scene.ground - 1 - noise};
    for (const PlacedFigure& one : scene.figures) values.push_back(2 * one.color[channel] - 1 - noise);
    for (size_t at = 0; at < Scene::pixels; at += numbers_a_block) {
      const size_t place = channel * Scene::pixels + at;
      const std::array<uint32_t, 4> words = philox(key, sample, place / numbers_a_block);
      for (size_t i = 0; i < numbers_a_block; ++i) {
        const uint32_t byte = words[i / 4] >> (8 * (i % 4)) & 0xff;
        pixels[place + i] =
            values[static_cast<size_t>(seen[at + i] + 1)] + static_cast<float>(byte) * (2 * noise / 256);
      }
    }
  }
}

std::array<int64_t, Scene::patches> patch_labels(const Scene& scene) {
  const std::array<int8_t, Scene::pixels> seen = scene.visible();
  constexpr int64_t in_a_row = Scene::width / Scene::patch;
  std::array<std::array<int, figures_in_all + 1>, Scene::patches> shown{};
  for (int64_t row = 0; row < Scene::height; ++row)
    for (int64_t column = 0; column < Scene::width; ++column) {
      const int8_t number = seen[static_cast<size_t>(row * Scene::width + column)];
      const size_t what =
          number < 0 ? 0 : 1 + static_cast<size_t>(scene.figures[static_cast<size_t>(number)].figure);
      ++shown[static_cast<size_t>(row / Scene::patch * in_a_row + column / Scene::patch)][what];
    }
  std::array<int64_t, Scene::patches> labels;
  for (size_t patch = 0; patch < labels.size(); ++patch)
    labels[patch] = std::ranges::max_element(shown[patch]) - shown[patch].begin();
  return labels;
}

}  // namespace weft
