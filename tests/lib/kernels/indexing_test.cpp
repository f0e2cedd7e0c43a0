#include <doctest/doctest.h>
#include <weft/lib/kernels/movement.h>
#include <weft/lib/machine/parallel.h>

#include "lib/naive.h"

using namespace weft;
using naive::Index;

TEST_CASE("take_rows: a row of the table for each id") {
  const Array weight = naive::numbered({5, 3});
  const Array ids = Array::from<int64_t>({4, 0, 0, 2}, {2, 2});
  const Array y = kernels::take_rows(weight, ids);
  CHECK(y.identical(Array::from<float>({13, 14, 15, 1, 2, 3, 1, 2, 3, 7, 8, 9}, {2, 2, 3})));
  CHECK(kernels::take_rows(weight, ids.to(int32)).identical(y));
  CHECK(kernels::take_rows(naive::numbered({5}), ids).identical(Array::from<float>({5, 1, 1, 3}, {2, 2})));
  CHECK(kernels::take_rows(weight, Array::scalar(1, int64)).identical(Array::from<float>({4, 5, 6}, {3})));
  CHECK(kernels::take_rows(weight, Array({0}, int64)).shape() == Shape{0, 3});
  CHECK(kernels::take_rows(Array({5, 0}), ids).shape() == Shape{2, 2, 0});
}

TEST_CASE("take_rows: the first id outside is named with its place") {
  const Array weight = naive::numbered({5, 3});
  CHECK_THROWS_WITH_AS(kernels::take_rows(weight, Array::from<int64_t>({0, 1, 2, 3, 5, -1}, {2, 3})),
                       "take_rows: the id 5 at (1, 1) of (2, 3) lies outside [0, 5)", ValueError);
  CHECK_THROWS_WITH_AS(kernels::take_rows(weight, Array::scalar(-1, int32)),
                       "take_rows: the id -1 at () of () lies outside [0, 5)", ValueError);
  CHECK_THROWS_AS(kernels::take_rows(Array({0, 3}), Array::scalar(0, int64)), ValueError);
  CHECK_THROWS_AS(kernels::take_rows(weight, Array::scalar(0, float32)), TypeError);
  CHECK_THROWS_AS(kernels::take_rows(Array::scalar(1), Array::scalar(0, int64)), ShapeError);
}

TEST_CASE("add_rows: each row is one chain over the ids, from the value already there") {
  for (const DType dtype : {float32, float64}) {
    const int64_t V = 7, C = 150, N = 500;
    const Array ids = naive::random_ids({N}, V);
    const Array rows = naive::random({N, C}, dtype);
    Array into = naive::random({V, C}, dtype), expected = into.copy();
    visit_floating("test", dtype, [&]<class T>(T) {
      T* to = expected.mutable_data<T>();
      for (int64_t n = 0; n < N; ++n) {
        for (int64_t c = 0; c < C; ++c) to[ids.data<int64_t>()[n] * C + c] += rows.data<T>()[n * C + c];
      }
    });
    Array halves = into.copy();
    kernels::add_rows(into, ids, rows);
    CHECK(into.identical(expected));
    kernels::add_rows(halves, kernels::slice(ids, 0, 0, 123), kernels::slice(rows, 0, 0, 123));
    kernels::add_rows(halves, kernels::slice(ids, 0, 123, N), kernels::slice(rows, 0, 123, N));
    CHECK(halves.identical(expected));
  }
}

TEST_CASE("add_rows: the number of threads changes nothing") {
  const Array ids = naive::random_ids({40, 10}, 3), rows = naive::random({40, 10, 300});
  naive::same_for_threads([&] {
    Array into = Array::zeros({3, 300});
    kernels::add_rows(into, ids, rows);
    return into;
  });
}

TEST_CASE("add_rows: what does not fit is refused, and nothing is changed") {
  Array into = naive::numbered({4, 2});
  const Array before = into.copy();
  const Array ids = Array::from<int64_t>({0, 4}, {2});
  CHECK_THROWS_WITH_AS(kernels::add_rows(into, ids, naive::numbered({2, 2})),
                       "add_rows: the id 4 at (1,) of (2,) lies outside [0, 4)", ValueError);
  CHECK_THROWS_WITH_AS(kernels::add_rows(into, ids, naive::numbered({2, 3})),
                       "add_rows: into (4, 2) by ids (2,) go rows (2, 2), not (2, 3)", ShapeError);
  CHECK_THROWS_AS(kernels::add_rows(into, ids, naive::numbered({2, 2}, float64)), TypeError);
  Array integers = naive::numbered({4, 2}, int64);
  CHECK_THROWS_AS(kernels::add_rows(integers, Array::zeros({2}, int64), naive::numbered({2, 2}, int64)),
                  TypeError);
  CHECK(into.identical(before));
}

TEST_CASE("gather and scatter_add equal the definition along every axis") {
  const Shape shape{4, 5, 3};
  const Array x = naive::random(shape);
  for (int axis = -3; axis < 3; ++axis) {
    const auto place = static_cast<size_t>((axis + 3) % 3);
    for (const Shape& part :
         {Shape{4, 5, 3}, Shape{2, 3, 2}, Shape{1, 1, 1}, Shape{0, 2, 2}, Shape{4, 1, 3}}) {
      const Shape extents = part.size() == 0 ? part : part.with(axis, 9);
      const Array index = naive::random_ids(extents, shape[static_cast<int>(place)]);
      const Array y = kernels::gather(x, axis, index);
      const Array back = kernels::scatter_add(y, shape, axis, index);
      Array expected = Array::zeros(shape);
      naive::for_each(extents, [&](Index at, int64_t flat) {
        at[place] = index.data<int64_t>()[flat];
        const int64_t from = naive::flat(shape, at);
        REQUIRE(y.data<float>()[flat] == x.data<float>()[from]);
        expected.mutable_data<float>()[from] += y.data<float>()[flat];
      });
      CHECK(y.shape() == extents);
      CHECK(back.identical(expected));
    }
  }
}

TEST_CASE("gather and scatter_add: the number of threads changes nothing") {
  const Array x = naive::random({64, 2000}), index = naive::random_ids({64, 3000}, 2000);
  naive::same_for_threads(
      [&] { return kernels::scatter_add(kernels::gather(x, 1, index), x.shape(), 1, index); });
}

TEST_CASE("gather and scatter_add: what does not fit is refused") {
  const Array x = naive::numbered({2, 3});
  CHECK_THROWS_WITH_AS(kernels::gather(x, 1, Array::from<int64_t>({0, 3}, {2, 1})),
                       "gather: the id 3 at (1, 0) of (2, 1) lies outside [0, 3)", ValueError);
  CHECK_THROWS_WITH_AS(kernels::gather(x, 1, Array({3, 1}, int64)),
                       "gather: the index (3, 1) does not fit (2, 3) around axis 1", ShapeError);
  CHECK_THROWS_AS(kernels::gather(x, 1, Array::zeros({2}, int64)), ShapeError);
  CHECK_THROWS_AS(kernels::gather(x, 2, Array::zeros({2, 1}, int64)), ShapeError);
  CHECK_THROWS_AS(kernels::gather(x, 1, Array::zeros({2, 1}, int32)), TypeError);
  CHECK_THROWS_AS(kernels::gather(Array::scalar(1), 0, Array::scalar(0, int64)), ShapeError);
  CHECK_THROWS_AS(kernels::scatter_add(x, {2, 3}, 1, Array::zeros({2, 2}, int64)), ShapeError);
  CHECK_THROWS_AS(kernels::scatter_add(x.to(int64), {2, 3}, 1, Array::zeros({2, 3}, int64)), TypeError);
}
