#include <doctest/doctest.h>
#include <weft/lib/kernels/movement.h>
#include <weft/lib/kernels/reduce.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/naive.h"

using namespace weft;
using naive::Index;

namespace {

const double not_a_number = std::numeric_limits<double>::quiet_NaN();
const double inf = std::numeric_limits<double>::infinity();

/// The order that the header promises for one row.
template <class T>
T row_sum(const T* x, int64_t count, int64_t tile = 65536) {
  T total = 0;
  for (int64_t first = 0; first == 0 || first < count; first += tile) {
    T partial[16] = {};
    for (int64_t i = first; i < std::min(count, first + tile); ++i) partial[(i - first) % 16] += x[i];
    for (int apart = 8; apart > 0; apart /= 2) {
      for (int k = 0; k < apart; ++k) partial[k] += partial[k + apart];
    }
    total = first == 0 ? partial[0] : total + partial[0];
  }
  return total;
}

/// All subsets of the axes, the empty list being "all".
std::vector<std::vector<int>> subsets(int rank) {
  std::vector<std::vector<int>> all;
  for (int bits = 0; bits < 1 << rank; ++bits) {
    std::vector<int> axes;
    for (int i = 0; i < rank; ++i) {
      if (bits >> i & 1) axes.push_back(i);
    }
    all.push_back(axes);
  }
  return all;
}

const std::vector<Shape> shapes = {{},        {1},         {17},         {3, 4},        {5, 1},
                                   {1, 6},    {2, 3, 4},   {2, 1, 3, 1}, {3, 2, 5, 33}, {2, 0, 3},
                                   {300, 70}, {2, 70, 300}};

}  // namespace

TEST_CASE("sum and max over every subset of axes equal the definition") {
  for (const Shape& shape : shapes) {
    const Array x = naive::random(shape, float64);
    for (const std::vector<int>& axes : subsets(shape.rank())) {
      for (const bool keepdim : {false, true}) {
        const std::vector<int> reduced = kernels::normal_axes("test", axes, shape.rank());
        Shape kept = shape;
        bool empty = false;
        for (const int axis : reduced) {
          kept = kept.with(axis, 1);
          empty = empty || shape[axis] == 0;
        }
        std::vector<double> sums(static_cast<size_t>(kept.size()), 0), tops(sums.size(), -inf);
        naive::for_each(shape, [&](const Index& at, int64_t flat) {
          const auto to = static_cast<size_t>(naive::broadcast_flat(kept, at));
          sums[to] += x.data<double>()[flat];
          tops[to] = std::max(tops[to], x.data<double>()[flat]);
        });
        Shape expected_shape;
        for (int i = 0; i < shape.rank(); ++i) {
          const bool gone = std::find(reduced.begin(), reduced.end(), i) != reduced.end();
          if (!gone || keepdim)
            expected_shape = expected_shape.inserted(expected_shape.rank(), gone ? 1 : shape[i]);
        }
        const Array total = kernels::sum(x, axes, keepdim);
        REQUIRE(total.shape() == expected_shape);
        for (size_t i = 0; i < sums.size(); ++i)
          REQUIRE(total.values<double>()[i] == doctest::Approx(sums[i]).epsilon(1e-12));
        if (empty) {
          CHECK_THROWS_AS(kernels::max(x, axes, keepdim), ShapeError);
        } else {
          const Array top = kernels::max(x, axes, keepdim);
          REQUIRE(top.shape() == expected_shape);
          for (size_t i = 0; i < tops.size(); ++i) REQUIRE(top.values<double>()[i] == tops[i]);
        }
      }
    }
  }
}

TEST_CASE("sum along the last axis: 16 partial sums, a tree, tiles of 65,536 in order") {
  for (const int64_t length : {1, 5, 15, 16, 17, 31, 100, 1000, 65535, 65536, 65537, 200001}) {
    const Array x = naive::random({3, length});
    const int last[] = {-1};
    const Array y = kernels::sum(x, last, false);
    for (int64_t r = 0; r < 3; ++r)
      CHECK(y.data<float>()[r] == row_sum(x.data<float>() + r * length, length));
    CHECK(kernels::sum(x, {}, false).item() == static_cast<double>(row_sum(x.data<float>(), 3 * length)));
  }
}

TEST_CASE("sum along other axes: one chain an output, in index order") {
  const int64_t A = 3, N = 257, C = 131;
  const Array x = naive::random({A, N, C});
  const int middle[] = {1};
  const Array y = kernels::sum(x, middle, false);
  for (int64_t a = 0; a < A; ++a) {
    for (int64_t c = 0; c < C; ++c) {
      float chain = 0;
      for (int64_t n = 0; n < N; ++n) chain += x.data<float>()[(a * N + n) * C + c];
      REQUIRE(y.data<float>()[a * C + c] == chain);
    }
  }
  // The chain of a column does not depend on the columns beside it, even when there are none.
  const int rows[] = {0};
  const Array plane = x.reshape({A * N, C});
  CHECK(kernels::sum(kernels::slice(plane, 1, 5, 6), rows, false).item() ==
        kernels::sum(plane, rows, false).at({5}));
}

TEST_CASE("sum over axes apart: the last first") {
  const int64_t A = 50, B = 3, C = 70;
  const Array x = naive::random({A, B, C});
  const int outside[] = {0, 2};
  const Array y = kernels::sum(x, outside, false);
  for (int64_t b = 0; b < B; ++b) {
    float chain = 0;
    for (int64_t a = 0; a < A; ++a) chain += row_sum(x.data<float>() + (a * B + b) * C, C);
    CHECK(y.data<float>()[b] == chain);
  }
}

TEST_CASE("sums of integers and bool are int64") {
  const Array x = Array::from<int32_t>({INT32_MAX, INT32_MAX, 1, -2}, {2, 2});
  const int last[] = {1};
  CHECK(kernels::sum(x, last, false).identical(Array::from<int64_t>({2 * int64_t{INT32_MAX}, -1}, {2})));
  CHECK(kernels::sum(Array::from<bool>({true, false, true}, {3}), {}, true)
            .identical(Array::from<int64_t>({2}, {1})));
  CHECK(kernels::sum(Array::scalar(1, boolean), {}, false).identical(Array::scalar(1, int64)));
  CHECK(kernels::max(x, last, false).identical(Array::from<int32_t>({INT32_MAX, 1}, {2})));
  CHECK(kernels::max(Array::from<bool>({false, true}, {2}), {}, false).identical(Array::scalar(1, boolean)));
}

TEST_CASE("sum and max hand back an array of their own") {
  const Array x = Array::scalar(3);
  CHECK(!kernels::sum(x, {}, false).shares_buffer(x));
  CHECK(!kernels::max(x, {}, false).shares_buffer(x));
}

TEST_CASE("max and argmax: NaN wins wherever it stands, infinities are numbers, the first of equals counts") {
  const int last[] = {1}, first[] = {0};
  for (const int64_t place : {0, 1, 15, 16, 40}) {
    std::vector<float> values(41, 1.0f);
    values[static_cast<size_t>(place)] = static_cast<float>(not_a_number);
    const Array row = Array::from(values, {1, 41});
    CHECK(std::isnan(kernels::max(row, last, false).item()));
    CHECK(std::isnan(kernels::max(row.reshape({41, 1}), first, false).item()));
    CHECK(kernels::argmax(row, 1, false).item() == static_cast<double>(place));
    CHECK(kernels::argmax(row.reshape({41, 1}), 0, false).item() == static_cast<double>(place));
  }
  const Array x = Array::from<double>({-inf, -inf, 2, inf, 5, 5}, {3, 2});
  CHECK(kernels::max(x, last, false).identical(Array::from<double>({-inf, inf, 5}, {3})));
  CHECK(kernels::argmax(x, 1, false).identical(Array::from<int64_t>({0, 1, 0}, {3})));
  CHECK(kernels::argmax(x, 0, true).identical(Array::from<int64_t>({2, 1}, {1, 2})));
  CHECK(
      kernels::argmax(naive::numbered({2, 3, 4}, int32), 1, false).identical(Array::full({2, 4}, 2, int64)));
  CHECK(kernels::argmax(Array({0, 3}), 1, false).shape() == Shape{0});
}

TEST_CASE("axes that do not exist or come twice, and reductions of nothing, are refused") {
  const Array x = naive::numbered({2, 3});
  const int twice[] = {1, -1}, far[] = {2};
  CHECK_THROWS_WITH_AS(kernels::sum(x, twice, false), "sum: axis 1 is named twice", ShapeError);
  CHECK_THROWS_WITH_AS(kernels::max(x, far, false), "max: axis 2 does not exist in an array of 2 axes",
                       ShapeError);
  CHECK_THROWS_WITH_AS(kernels::argmax(Array({2, 0}), 1, false), "argmax: no elements along axis 1 of (2, 0)",
                       ShapeError);
  CHECK_THROWS_AS(kernels::argmax(Array::scalar(1), 0, false), ShapeError);
  const int mixed[] = {-1, 0};
  CHECK(kernels::normal_axes("test", mixed, 3) == std::vector<int>{0, 2});
  CHECK(kernels::normal_axes("test", {}, 2) == std::vector<int>{0, 1});
}

TEST_CASE("sum_to reverses broadcasting") {
  const struct {
    Shape from, to;
  } cases[] = {{{4, 3}, {3}},       {{4, 3}, {4, 1}},
               {{4, 3}, {1, 1}},    {{4, 3}, {}},
               {{2, 3, 4}, {3, 1}}, {{2, 3, 4}, {2, 1, 4}},
               {{2, 3, 4}, {4}},    {{2, 3, 4}, {1, 3, 1}},
               {{0, 3}, {3}},       {{2, 3, 4, 5}, {3, 1, 5}},
               {{3, 0}, {3, 1}},    {{2, 3, 4, 5}, {2, 1, 4, 1}},
               {{5}, {1}},          {{1, 3}, {3}},
               {{7, 1, 9}, {1}}};
  for (const auto& example : cases) {
    const Shape &from = example.from, &to = example.to;
    const Array x = naive::random(from, float64);
    const Array y = kernels::sum_to(x, to);
    REQUIRE(y.shape() == to);
    std::vector<double> expected(static_cast<size_t>(to.size()), 0);
    naive::for_each(from, [&](const Index& at, int64_t flat) {
      expected[static_cast<size_t>(naive::broadcast_flat(to, at))] += x.data<double>()[flat];
    });
    for (size_t i = 0; i < expected.size(); ++i)
      REQUIRE(y.values<double>()[i] == doctest::Approx(expected[i]).epsilon(1e-12));
  }
  CHECK_THROWS_WITH_AS(kernels::sum_to(naive::numbered({2, 3}), {2}),
                       "sum_to: (2,) does not broadcast to (2, 3)", ShapeError);
}

TEST_CASE("accumulate_to: a batch in parts equals the batch at once, bit for bit") {
  const int64_t B = 6, T = 37, C = 67;
  const Array x = naive::random({B, T, C});
  for (const Shape& shape : {Shape{C}, Shape{T, C}, Shape{1, T, C}, Shape{1, 1, C}, Shape{1, T, 1},
                             Shape{T, 1}, Shape{1}, Shape{}, Shape{1, 1, 1}, Shape{1, C}}) {
    Array whole = naive::random(shape, float32, 3);
    Array parts = whole.copy(), singles = whole.copy();
    const Array start = whole.copy();
    kernels::accumulate_to(whole, x);
    kernels::accumulate_to(parts, kernels::slice(x, 0, 0, 4));
    kernels::accumulate_to(parts, kernels::slice(x, 0, 4, B));
    for (int64_t b = 0; b < B; ++b) kernels::accumulate_to(singles, kernels::slice(x, 0, b, b + 1));
    CHECK(parts.identical(whole));
    CHECK(singles.identical(whole));
    CHECK(!whole.identical(start));
    Array zero = Array::zeros(shape);
    kernels::accumulate_to(zero, x);
    CHECK(zero.identical(kernels::sum_to(x, shape)));
  }
}

TEST_CASE("accumulate_to: leading axes are one chain from the value already there") {
  const int64_t N = 211, C = 5;
  const Array x = naive::random({N, C});
  Array into = naive::random({C}, float32, 3);
  Array expected = into.copy();
  for (int64_t n = 0; n < N; ++n) {
    for (int64_t c = 0; c < C; ++c) expected.mutable_data<float>()[c] += x.data<float>()[n * C + c];
  }
  kernels::accumulate_to(into, x);
  CHECK(into.identical(expected));
}

TEST_CASE("accumulate_to: with nothing kept, each sample is summed on its own, and these are the chain") {
  const Array x = naive::random({100, 70});
  Array into = Array::full({1}, 0.3);
  float chain = 0.3f;
  for (int64_t n = 0; n < 100; ++n) chain += row_sum(x.data<float>() + n * 70, 70);
  kernels::accumulate_to(into, x);
  CHECK(into.item() == static_cast<double>(chain));
}

TEST_CASE("accumulate_to: what does not fit is refused") {
  Array into = Array::zeros({3});
  CHECK_THROWS_AS(kernels::accumulate_to(into, naive::numbered({3, 2})), ShapeError);
  CHECK_THROWS_WITH_AS(kernels::accumulate_to(into, naive::numbered({3}, float64)),
                       "accumulate_to: sums of float64 do not go into float32", TypeError);
  Array counts = Array::zeros({2}, int64);
  kernels::accumulate_to(counts, Array::from<bool>({true, false, true, true}, {2, 2}));
  CHECK(counts.identical(Array::from<int64_t>({2, 1}, {2})));
}

TEST_CASE("squared_norm: in double, pieces of 16,384 with 16 partial sums each") {
  const Array x = naive::random({3, 50001});
  std::vector<double> squares;
  for (const float value : x.values<float>())
    squares.push_back(static_cast<double>(value) * static_cast<double>(value));
  CHECK(kernels::squared_norm(x) == row_sum(squares.data(), x.size(), 16384));
  CHECK(kernels::squared_norm(Array::full({2}, 1e30)) == doctest::Approx(2e60));
  CHECK(kernels::squared_norm(Array({0})) == 0);
  CHECK(std::isnan(kernels::squared_norm(Array::full({3}, not_a_number))));
  CHECK_THROWS_AS(kernels::squared_norm(naive::numbered({3}, int64)), TypeError);
}

TEST_CASE("max_abs") {
  CHECK(kernels::max_abs(Array::from<float>({1, -3, 2}, {3})) == 3);
  CHECK(kernels::max_abs(Array::from<int64_t>({INT64_MIN, 2}, {2})) == 0x1p63);
  CHECK(kernels::max_abs(Array({0})) == 0);
  CHECK(kernels::max_abs(Array::from<double>({1, -inf}, {2})) == inf);
  Array x = Array::zeros({100000});
  CHECK(kernels::max_abs(x) == 0);
  x.mutable_data<float>()[70001] = static_cast<float>(not_a_number);
  CHECK(std::isnan(kernels::max_abs(x)));
}

TEST_CASE("reductions: the number of threads changes nothing") {
  const Array x = naive::random({5, 300, 400});
  for (const std::vector<int>& axes : subsets(3)) {
    naive::same_for_threads([&] { return kernels::sum(x, axes, false); });
    naive::same_for_threads([&] { return kernels::max(x, axes, false); });
  }
  naive::same_for_threads([&] { return Array::scalar(kernels::squared_norm(x), float64); });
}
