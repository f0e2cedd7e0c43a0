#include <doctest/doctest.h>
#include <weft/lib/kernels/movement.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <numeric>

#include "lib/naive.h"

using namespace weft;
using naive::Index;

TEST_CASE("permute: every order of many shapes equals the definition") {
  for (const Shape& shape :
       {Shape{}, Shape{7}, Shape{5, 3}, Shape{1, 4}, Shape{2, 3, 4}, Shape{3, 1, 5}, Shape{0, 3, 2},
        Shape{33, 65}, Shape{2, 40, 35}, Shape{3, 2, 1, 4}, Shape{2, 3, 37, 34}}) {
    const Array x = naive::numbered(shape);
    std::vector<int> order(static_cast<size_t>(shape.rank()));
    std::iota(order.begin(), order.end(), 0);
    do {
      const Array y = kernels::permute(x, order);
      REQUIRE(y.rank() == shape.rank());
      for (size_t i = 0; i < order.size(); ++i) REQUIRE(y.shape()[static_cast<int>(i)] == shape[order[i]]);
      naive::for_each(y.shape(), [&](const Index& at, int64_t flat) {
        Index from(at.size());
        for (size_t i = 0; i < at.size(); ++i) from[static_cast<size_t>(order[i])] = at[i];
        REQUIRE(y.data<float>()[flat] == x.data<float>()[naive::flat(shape, from)]);
      });
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST_CASE("permute: large planes, and any element type") {
  for (const DType dtype : {float32, float64, int32, int64, boolean}) {
    const Array x = naive::numbered({260, 515}, int64).to(dtype);
    const int order[] = {1, 0};
    const Array y = kernels::permute(x, order);
    CHECK(y.dtype() == dtype);
    for (int64_t i = 0; i < 515; i += 7) {
      for (int64_t j = 0; j < 260; j += 3) REQUIRE(y.at({i, j}) == x.at({j, i}));
    }
    CHECK(kernels::permute(y, order).identical(x));
  }
}

TEST_CASE("permute: an order that is none is refused with its axes") {
  const Array x = naive::numbered({2, 3});
  for (const std::vector<int>& order :
       std::vector<std::vector<int>>{{0}, {0, 0}, {0, 2}, {-1, 0}, {0, 1, 2}, {}}) {
    CHECK_THROWS_AS(kernels::permute(x, order), ShapeError);
  }
  const int twice[] = {1, 1};
  CHECK_THROWS_WITH(kernels::permute(x, twice),
                    "permute: the order (1, 1) does not name every axis of (2, 3) once");
}

TEST_CASE("broadcast_to equals the definition") {
  const struct {
    Shape from, to;
  } cases[] = {{{}, {}},
               {{}, {3}},
               {{3}, {2, 3}},
               {{3, 1}, {3, 4}},
               {{1, 3}, {5, 3}},
               {{2, 1, 3}, {2, 4, 3}},
               {{1, 4, 1}, {3, 4, 2}},
               {{2, 3}, {2, 3}},
               {{1}, {0}},
               {{3, 1}, {2, 3, 0}},
               {{1, 1}, {300, 200}},
               {{70000}, {2, 70000}},
               {{2, 1, 2, 1}, {2, 3, 2, 4}},
               {{2, 1, 1, 3}, {2, 2, 2, 3}}};
  for (const auto& example : cases) {
    const Shape &from = example.from, &to = example.to;
    const Array x = naive::numbered(from);
    const Array y = kernels::broadcast_to(x, to);
    REQUIRE(y.shape() == to);
    naive::for_each(to, [&](const Index& at, int64_t flat) {
      REQUIRE(y.data<float>()[flat] == x.data<float>()[naive::broadcast_flat(from, at)]);
    });
  }
  CHECK_THROWS_WITH_AS(kernels::broadcast_to(naive::numbered({2, 3}), {2, 4}),
                       "broadcast_to: (2, 3) does not broadcast to (2, 4)", ShapeError);
  CHECK_THROWS_AS(kernels::broadcast_to(naive::numbered({2, 3}), {3}), ShapeError);
}

TEST_CASE("slice and unslice: every part of every axis") {
  const Shape shape{3, 4, 5};
  const Array x = naive::numbered(shape);
  for (int axis = -3; axis < 3; ++axis) {
    const int place = (axis + 3) % 3;
    for (int64_t begin = 0; begin <= shape[place]; ++begin) {
      for (int64_t end = begin; end <= shape[place]; ++end) {
        const Array y = kernels::slice(x, axis, begin, end);
        REQUIRE(y.shape() == shape.with(place, end - begin));
        naive::for_each(y.shape(), [&](Index at, int64_t flat) {
          at[static_cast<size_t>(place)] += begin;
          REQUIRE(y.data<float>()[flat] == x.data<float>()[naive::flat(shape, at)]);
        });
        const Array back = kernels::unslice(y, shape, axis, begin);
        REQUIRE(back.shape() == shape);
        naive::for_each(shape, [&](const Index& at, int64_t flat) {
          const int64_t i = at[static_cast<size_t>(place)];
          REQUIRE(back.data<float>()[flat] == (i >= begin && i < end ? x.data<float>()[flat] : 0.0f));
        });
      }
    }
  }
}

TEST_CASE("slice and unslice: long runs are cut into pieces") {
  const Array x = naive::numbered({2, 200000}, float64);
  const Array y = kernels::slice(x, 1, 3, 199990);
  CHECK(y.at({0, 0}) == 4);
  CHECK(y.at({1, 199986}) == x.at({1, 199989}));
  const Array back = kernels::unslice(y, x.shape(), 1, 3);
  CHECK(back.at({1, 2}) == 0);
  CHECK(back.at({1, 3}) == x.at({1, 3}));
  CHECK(back.at({0, 199989}) == x.at({0, 199989}));
  CHECK(back.at({0, 199990}) == 0);
  CHECK(kernels::slice(x, 0, 1, 2).at({0, 150000}) == x.at({1, 150000}));
}

TEST_CASE("slice and unslice: bounds outside are refused") {
  const Array x = naive::numbered({2, 3});
  CHECK_THROWS_WITH_AS(kernels::slice(x, 1, 2, 4), "slice: [2, 4) does not lie in axis 1 of (2, 3)",
                       ShapeError);
  CHECK_THROWS_AS(kernels::slice(x, 1, -1, 2), ShapeError);
  CHECK_THROWS_WITH_AS(kernels::slice(x, 1, 2, 1), "slice: [2, 1) does not lie in axis 1 of (2, 3)",
                       ShapeError);
  CHECK_THROWS_AS(kernels::slice(x, 2, 0, 1), ShapeError);
  CHECK_THROWS_WITH_AS(kernels::unslice(x, {2, 4}, 1, 2),
                       "unslice: (2, 3) at 2 of axis 1 does not fit into (2, 4)", ShapeError);
  CHECK_THROWS_AS(kernels::unslice(x, {2, 4}, 1, -1), ShapeError);
  CHECK_THROWS_AS(kernels::unslice(x, {2, 4}, 1, INT64_MAX), ShapeError);
  CHECK_THROWS_AS(kernels::unslice(x, {3, 4}, 1, 0), ShapeError);
  CHECK_THROWS_AS(kernels::unslice(x, {2, 3, 1}, 1, 0), ShapeError);
}

TEST_CASE("cat puts slices back together") {
  const Array x = naive::numbered({4, 5, 6});
  for (int axis = -3; axis < 3; ++axis) {
    const int64_t extent = x.dim(axis);
    const std::vector<Array> parts = {kernels::slice(x, axis, 0, 1), kernels::slice(x, axis, 1, 1),
                                      kernels::slice(x, axis, 1, extent)};
    CHECK(kernels::cat(parts, axis).identical(x));
    CHECK(kernels::cat({x}, axis).identical(x));
  }
  const Array empty = kernels::slice(x, 0, 0, 0);
  CHECK(kernels::cat({empty, empty}, 1).shape() == Shape{0, 10, 6});
}

TEST_CASE("cat: nothing, other extents and other types are refused") {
  const Array a = naive::numbered({2, 3});
  CHECK_THROWS_AS(kernels::cat({}, 0), ShapeError);
  CHECK_THROWS_WITH_AS(kernels::cat({a, naive::numbered({2, 4})}, 0),
                       "cat: extents other than axis 0 differ: array 0 is (2, 3), array 1 is (2, 4)",
                       ShapeError);
  CHECK_THROWS_AS(kernels::cat({a, naive::numbered({2})}, 0), ShapeError);
  CHECK_THROWS_AS(kernels::cat({a, a}, 2), ShapeError);
  CHECK_THROWS_WITH_AS(kernels::cat({a, a.to(float64)}, 0), "cat: array 0 is float32, array 1 is float64",
                       TypeError);
}

TEST_CASE("tril: one on and below the diagonal") {
  for (const int64_t offset : {INT64_MIN, int64_t{-5}, int64_t{-1}, int64_t{0}, int64_t{2}, INT64_MAX}) {
    const Array y = kernels::tril(4, 6, offset);
    CHECK(y.dtype() == boolean);
    for (int64_t i = 0; i < 4; ++i) {
      for (int64_t j = 0; j < 6; ++j) {
        const bool on = offset == INT64_MAX || (offset != INT64_MIN && j - i <= offset);
        CHECK(y.at({i, j}) == on);
      }
    }
  }
  CHECK(kernels::tril(0, 3).shape() == Shape{0, 3});
  CHECK_THROWS_AS(kernels::tril(-1, 3), ShapeError);
}
