#include <doctest/doctest.h>
#include <weft/lib/array/shape.h>

#include <vector>

using namespace weft;

TEST_CASE("Shape: extents, rank and number of elements") {
  const Shape shape{2, 3, 4};
  CHECK(shape.rank() == 3);
  CHECK(shape.size() == 24);
  CHECK(shape[1] == 3);
  CHECK(shape.dim(-1) == 4);
  CHECK(shape.dim(0) == 2);
  CHECK(std::vector<int64_t>(shape.begin(), shape.end()) == std::vector<int64_t>{2, 3, 4});
  CHECK(Shape{}.rank() == 0);
  CHECK(Shape{}.size() == 1);
  CHECK(Shape{3, 0, 5}.size() == 0);
  CHECK_THROWS_WITH_AS(shape.dim(3), "dim: axis 3 does not exist in an array of 3 axes", ShapeError);
  CHECK_THROWS_AS(shape.dim(-4), ShapeError);
  CHECK_THROWS_AS(Shape{}.dim(0), ShapeError);
}

TEST_CASE("Shape: what cannot be is refused") {
  CHECK_THROWS_WITH_AS((Shape{2, -1}), "shape (2, -1) has a negative extent", ShapeError);
  CHECK_NOTHROW((Shape{1, 1, 1, 1, 1, 1, 1, 1}));
  CHECK_THROWS_AS((Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}), ShapeError);
  CHECK_THROWS_AS((Shape{INT64_MAX}), ShapeError);
  CHECK_THROWS_AS((Shape{int64_t{1} << 32, int64_t{1} << 32}), ShapeError);
  // Also when an extent of 0 hides it: a reduction over that axis would bring it out.
  CHECK_THROWS_AS((Shape{int64_t{1} << 32, 0, int64_t{1} << 32}), ShapeError);
}

TEST_CASE("Shape: equality and text") {
  CHECK(Shape{2, 3} == Shape{2, 3});
  CHECK(!(Shape{2, 3} == Shape{3, 2}));
  CHECK(!(Shape{2} == Shape{2, 1}));
  CHECK(!(Shape{} == Shape{1}));
  CHECK(to_string(Shape{}) == "()");
  CHECK(to_string(Shape{5}) == "(5,)");
  CHECK(to_string(Shape{4, 3, 8}) == "(4, 3, 8)");
}

TEST_CASE("Shape: axes put in, replaced and taken out") {
  const Shape shape{2, 3};
  CHECK(shape.inserted(0, 7) == Shape{7, 2, 3});
  CHECK(shape.inserted(1, 7) == Shape{2, 7, 3});
  CHECK(shape.inserted(2, 7) == Shape{2, 3, 7});
  CHECK(shape.inserted(-1, 7) == Shape{2, 3, 7});
  CHECK(Shape{}.inserted(0, 4) == Shape{4});
  CHECK(shape.with(1, 0) == Shape{2, 0});
  CHECK(shape.with(-2, 9) == Shape{9, 3});
  CHECK(shape.without(0) == Shape{3});
  CHECK(shape.without(-1) == Shape{2});
  CHECK_THROWS_AS(shape.inserted(3, 1), ShapeError);
  CHECK_THROWS_AS(shape.with(2, 1), ShapeError);
  CHECK_THROWS_AS(Shape{}.without(0), ShapeError);
  CHECK_THROWS_AS((Shape{1, 1, 1, 1, 1, 1, 1, 1}.inserted(0, 1)), ShapeError);
}

TEST_CASE("broadcast_shapes: NumPy's rule") {
  const struct {
    Shape a, b, result;
  } cases[] = {
      {{}, {}, {}},    {{3}, {}, {3}},           {{2, 3}, {3}, {2, 3}},         {{2, 1}, {1, 3}, {2, 3}},
      {{1}, {0}, {0}}, {{0, 3}, {1, 3}, {0, 3}}, {{4, 1, 5}, {3, 1}, {4, 3, 5}}};
  for (const auto& [a, b, result] : cases) {
    CHECK(broadcast_shapes("test", a, b) == result);
    CHECK(broadcast_shapes("test", b, a) == result);
    CHECK(broadcasts_to(a, result));
    CHECK(broadcasts_to(b, result));
  }
  CHECK_THROWS_WITH_AS(broadcast_shapes("add", {2, 3}, {2, 4}),
                       "add: shapes do not broadcast: (2, 3) and (2, 4) differ at axis -1", ShapeError);
  CHECK_THROWS_AS(broadcast_shapes("add", {0}, {2}), ShapeError);
  CHECK(!broadcasts_to({2, 3}, {3}));
  CHECK(!broadcasts_to({3}, {1}));
  CHECK(!broadcasts_to({2}, {2, 3}));
}

TEST_CASE("resolve_reshape: one unknown extent at most, and all elements accounted for") {
  const auto reshaped = [](const Shape& from, std::vector<int64_t> wanted) {
    return resolve_reshape(from, wanted);
  };
  CHECK(reshaped({2, 6}, {3, 4}) == Shape{3, 4});
  CHECK(reshaped({2, 6}, {-1}) == Shape{12});
  CHECK(reshaped({2, 6}, {4, -1, 1}) == Shape{4, 3, 1});
  CHECK(reshaped({}, {-1, 1}) == Shape{1, 1});
  CHECK(reshaped({1, 1}, {}) == Shape{});
  CHECK(reshaped({0, 3}, {-1, 3}) == Shape{0, 3});
  CHECK_THROWS_WITH_AS(reshaped({2, 6}, {5}), "reshape: (2, 6) has 12 elements, (5,) has 5", ShapeError);
  CHECK_THROWS_AS(reshaped({2, 6}, {5, -1}), ShapeError);
  CHECK_THROWS_AS(reshaped({2, 6}, {-1, -1}), ShapeError);
  CHECK_THROWS_AS(reshaped({2, 6}, {-2, -6}), ShapeError);
  CHECK_THROWS_AS(reshaped({0, 3}, {-1, 0}), ShapeError);
  CHECK_THROWS_AS(reshaped({1}, {-1, 1, 1, 1, 1, 1, 1, 1, 1}), ShapeError);
}

TEST_CASE("normal_axis brings negative axes to their place") {
  CHECK(normal_axis("test", -1, 3) == 2);
  CHECK(normal_axis("test", 0, 3) == 0);
  CHECK_THROWS_WITH_AS(normal_axis("softmax", 1, 1), "softmax: axis 1 does not exist in an array of 1 axis",
                       ShapeError);
}
