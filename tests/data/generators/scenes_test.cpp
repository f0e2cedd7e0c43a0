#include <doctest/doctest.h>
#include <weft/data/generators/scenes.h>
#include <weft/data/tasks/registry.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <cmath>
#include <set>

using namespace weft;

namespace {

Scene scene_at(Scene (*draw)(Draws&), uint64_t sample) {
  Draws draws(random_key(3, 4), sample);
  return draw(draws);
}

Scene alone(Figure figure, float radius = 8) {
  return {.ground = 0.1F,
          .figures = {{.figure = figure, .x = 16, .y = 16, .radius = radius, .color = {1, 0.5F, 0}}}};
}

int64_t area(const Scene& scene) { return Scene::pixels - std::ranges::count(scene.visible(), int8_t{-1}); }

}  // namespace

TEST_CASE("figures have their areas") {
  constexpr double r2 = 100;
  const std::vector<std::pair<Figure, double>> wanted = {
      {Figure::circle, 3.14159 * r2},
      {Figure::square, 1.4 * 1.4 * r2},
      {Figure::triangle, 0.42 * 1.7 * 1.7 * r2},
      {Figure::cross, (4 * 0.95 * 0.28 * 2 - 4 * 0.28 * 0.28) * r2},
      {Figure::diamond, 2 * r2},
      {Figure::ring, 3.14159 * (1 - 0.36) * r2}};
  for (const auto& [figure, pixels] : wanted) {
    CAPTURE(static_cast<int>(figure));
    Scene scene = alone(figure, 10);
    scene.figures[0].x = 16.3F;  // on whole pixels the edges of squares fall together with theirs
    scene.figures[0].y = 15.8F;
    CHECK(std::abs(static_cast<double>(area(scene)) - pixels) < 0.07 * pixels);
  }
}

TEST_CASE("figures stay within their circle and the picture, and the later covers the earlier") {
  for (const auto draw : {draw_which, draw_count, draw_where, draw_segments})
    for (uint64_t sample = 0; sample < 300; ++sample) {
      const Scene scene = scene_at(draw, sample);
      for (const PlacedFigure& one : scene.figures) {
        CHECK(one.x >= one.radius);
        CHECK(one.x <= 32 - one.radius);
        CHECK(one.y >= one.radius);
        CHECK(one.y <= 32 - one.radius);
        CHECK(*std::ranges::max_element(one.color) > 2 * scene.ground);
      }
      const auto seen = scene.visible();
      for (size_t pixel = 0; pixel < Scene::pixels; ++pixel) {
        if (seen[pixel] < 0) continue;
        const PlacedFigure& one = scene.figures[static_cast<size_t>(seen[pixel])];
        const float x = static_cast<float>(pixel % 32) + 0.5F - one.x,
                    y = static_cast<float>(pixel / 32) + 0.5F - one.y;
        CHECK(x * x + y * y <= one.radius * one.radius * 1.001F);
      }
    }
  Scene two = alone(Figure::circle);
  two.figures.push_back(alone(Figure::circle).figures[0]);
  CHECK(std::ranges::count(two.visible(), int8_t{0}) == 0);
}

TEST_CASE("labels are what was asked, each as often") {
  std::vector<int> which(6, 0), count(5, 0), where(9, 0);
  for (uint64_t sample = 0; sample < 3000; ++sample) {
    const Scene one = scene_at(draw_which, sample);
    REQUIRE(one.figures.size() == 3);
    CHECK(one.figures[0].radius >= 6);
    CHECK(one.figures[1].radius <= 3);
    CHECK(one.label == static_cast<int64_t>(one.figures[0].figure));
    ++which.at(static_cast<size_t>(one.label));
    const Scene some = scene_at(draw_count, sample);
    CHECK(some.label == static_cast<int64_t>(some.figures.size()) - 1);
    ++count.at(static_cast<size_t>(some.label));
    const Scene there = scene_at(draw_where, sample);
    const PlacedFigure& big = there.figures[0];
    CHECK(there.label == static_cast<int64_t>(big.y * 3 / 32) * 3 + static_cast<int64_t>(big.x * 3 / 32));
    CHECK(big.radius > there.figures[3].radius + 1.9F);
    for (const float at : {big.x, big.y})
      for (const float border : {32.0F / 3, 64.0F / 3}) CHECK(std::fabs(at - border) > 0.98F);
    ++where.at(static_cast<size_t>(there.label));
  }
  for (const int met : which) CHECK(std::abs(met - 500) < 90);
  for (const int met : count) CHECK(std::abs(met - 600) < 90);
  for (const int met : where) CHECK(std::abs(met - 333) < 80);
}

TEST_CASE("figures do not touch but in scenes of segments, and there only a little") {
  const std::vector<std::pair<Scene (*)(Draws&), float>> gaps = {
      {draw_which, 1.0F}, {draw_count, 1.5F}, {draw_where, 1.0F}, {draw_segments, -2.0F}};
  bool touched = false;
  for (const auto& [draw, gap] : gaps)
    for (uint64_t sample = 0; sample < 300; ++sample) {
      const Scene scene = scene_at(draw, sample);
      for (size_t a = 0; a < scene.figures.size(); ++a)
        for (size_t b = 0; b < a; ++b) {
          const float x = scene.figures[a].x - scene.figures[b].x,
                      y = scene.figures[a].y - scene.figures[b].y;
          const float between = std::sqrt(x * x + y * y) - scene.figures[a].radius - scene.figures[b].radius;
          CHECK(between >= gap - 0.001F);
          touched = touched || between < 0;
        }
    }
  CHECK(touched);
}

TEST_CASE("a picture is its colors and noise") {
  const Scene scene = alone(Figure::square);
  std::vector<float> pixels(3 * 1024), again(3 * 1024);
  render(scene, random_key(1, 2), 5, pixels);
  render(scene, random_key(1, 2), 5, again);
  CHECK(pixels == again);
  render(scene, random_key(1, 2), 6, again);
  CHECK(pixels != again);
  const auto seen = scene.visible();
  double sum = 0, squares = 0;
  for (size_t place = 0; place < pixels.size(); ++place) {
    const bool ground = seen[place % 1024] < 0;
    const float clean = 2 * (ground ? scene.ground : scene.figures[0].color[place / 1024]) - 1;
    const double off = pixels[place] - clean;
    CHECK(std::fabs(off) <= 0.1501);
    sum += off;
    squares += off * off;
  }
  CHECK(std::abs(sum / 3072) < 0.008);
  CHECK(squares / 3072 == doctest::Approx(0.15 * 0.15 / 3).scale(0).epsilon(0.06));
  std::vector<float> few(5);
  CHECK_THROWS_AS(render(scene, random_key(1, 2), 5, few), ValueError);
}

TEST_CASE("a patch is what it shows most of") {
  Scene scene{.figures = {{.figure = Figure::square, .x = 16, .y = 16, .radius = 8 / 0.7F},
                          {.figure = Figure::circle, .x = 16, .y = 16, .radius = 4}}};
  const auto labels = patch_labels(scene);
  CHECK(std::ranges::count(labels, 0) == 64 - 16);
  for (const size_t row : {2, 3, 4, 5})
    for (const size_t column : {2, 3, 4, 5}) {
      const bool middle = (row == 3 || row == 4) && (column == 3 || column == 4);
      CHECK(labels[row * 8 + column] == (middle ? 1 : 2));
    }
  // Half a patch: the ground.
  scene.figures = {{.figure = Figure::square, .x = 16, .y = 14, .radius = 8 / 0.7F}};
  CHECK(patch_labels(scene)[1 * 8 + 3] == 0);
  CHECK(patch_labels(scene)[5 * 8 + 3] == 0);
  CHECK(patch_labels(scene)[4 * 8 + 3] == 2);
  std::set<int64_t> met;
  for (uint64_t sample = 0; sample < 100; ++sample)
    for (const int64_t label : patch_labels(scene_at(draw_segments, sample))) met.insert(label);
  CHECK(met == std::set<int64_t>{0, 1, 2, 3, 4});
}

TEST_CASE("tasks of pictures show their scenes") {
  const auto task = make_task("which");
  CHECK(task->classes() == 6);
  CHECK(task->sizes().patch == 4);
  const Batch batch = task->batch(0, 2);
  const std::string text = task->input_text(batch, 1);
  CHECK(text.size() == 32 * 65);
  CHECK(std::ranges::count(text, '\n') == 32);
  CHECK(std::ranges::find(task->class_names(), task->target_text(batch, 1)) != task->class_names().end());
  CHECK_THROWS_AS(task->answer_text(std::vector<int64_t>{1}), ValueError);
  const auto words = std::dynamic_pointer_cast<const WordTokenizer>(make_task("copy")->tokenizer());
  REQUIRE(words);
  CHECK_THROWS_AS(make_task("where", {.tokenizer = words}), ValueError);
  const auto patches = make_task("segments");
  CHECK(patches->target_text(patches->batch(0, 1), 0).find("ground") != std::string::npos);
}
