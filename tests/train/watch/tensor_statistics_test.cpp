#include <doctest/doctest.h>
#include <weft/lib/array/random.h>
#include <weft/lib/machine/parallel.h>
#include <weft/train/watch/tensor_statistics.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "checks.h"

namespace weft::test {
namespace {

/// By the formulas, one value after the other.
TensorStatistics naive(const std::vector<double>& x) {
  TensorStatistics s{.count = std::ssize(x)};
  const auto n = static_cast<double>(x.size());
  s.mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
  double spread = 0, squares = 0;
  for (const double v : x) spread += (v - s.mean) * (v - s.mean), squares += v * v;
  s.std = std::sqrt(spread / n);
  s.norm = std::sqrt(squares);
  s.min = *std::ranges::min_element(x);
  s.max = *std::ranges::max_element(x);
  s.zero = static_cast<double>(std::ranges::count(x, 0.0)) / n;
  s.histogram.assign(64, 0);
  for (const double v : x)
    ++s.histogram[static_cast<size_t>(std::min(63.0, std::floor((v - s.min) / (s.max - s.min) * 64)))];
  return s;
}

void check_close(const TensorStatistics& found, const TensorStatistics& expected) {
  CHECK(found.count == expected.count);
  CHECK(found.min == expected.min);
  CHECK(found.max == expected.max);
  for (double TensorStatistics::*const value :
       {&TensorStatistics::mean, &TensorStatistics::std, &TensorStatistics::norm, &TensorStatistics::zero})
    CHECK(found.*value == doctest::Approx(expected.*value).epsilon(1e-12));
}

std::vector<double> values(int64_t count) {
  std::vector<double> x;
  for (int64_t i = 0; i < count; ++i)
    x.push_back(i % 5 == 3 ? 0.0 : 0.25 * static_cast<double>((i * i * 7919) % 4001 - 1300) / 1024);
  return x;
}

}  // namespace

TEST_CASE("tensor statistics: the formulas, over less than a tile and more") {
  for (const int64_t count : {1, 2, 15, 16, 17, 1000, 65'535, 65'536, 65'537, 300'000}) {
    CAPTURE(count);
    const std::vector<double> x = values(count);
    const TensorStatistics expected = naive(x);
    for (const DType dtype : {float32, float64}) {  // the values are floats
      const TensorStatistics found = statistics_of(Array::from(x, {count}).to(dtype), true);
      check_close(found, expected);
      REQUIRE(found.histogram.size() == 64);
      if (count > 1) CHECK(found.histogram == expected.histogram);
      CHECK(std::accumulate(found.histogram.begin(), found.histogram.end(), int64_t{0}) == count);
    }
    CHECK(statistics_of(Array::from(x, {count})).histogram.empty());
  }
}

TEST_CASE("tensor statistics: they do not depend on threads") {
  const int before = num_threads();
  const Array x = Array::from(values(1'000'003), {1'000'003}).to(float32), y = Array::full({1'000'003}, 0.1);
  set_num_threads(1);
  const TensorStatistics one = statistics_of(x, true);
  const double apart = distance(x, y);
  for (const int threads : {2, 3, 7}) {
    set_num_threads(threads);
    CHECK(statistics_of(x, true) == one);
    CHECK(distance(x, y) == apart);
  }
  set_num_threads(before);
}

TEST_CASE("tensor statistics: equal values, none, and what is not finite") {
  const TensorStatistics ones = statistics_of(Array::ones({300, 700}), true);
  CHECK(ones.mean == 1);
  CHECK(ones.std == 0);
  CHECK(ones.norm == doctest::Approx(std::sqrt(210'000.0)));
  CHECK(ones.histogram[0] == 210'000);
  CHECK(statistics_of(Array({0, 4}), true) == TensorStatistics());
  CHECK(statistics_of(Array::zeros({3})).zero == 1);
  CHECK(statistics_of(Array::full({3}, -0.0)).zero == 1);

  constexpr double nan = std::numeric_limits<double>::quiet_NaN(),
                   inf = std::numeric_limits<double>::infinity();
  for (const int64_t place : {0, 3, 65'536, 99'999}) {
    std::vector<double> x(100'000, 1.0);
    x[static_cast<size_t>(place)] = nan;
    const TensorStatistics found = statistics_of(Array::from(x, {100'000}).to(float32), true);
    CHECK(std::isnan(found.mean));
    CHECK(std::isnan(found.min));
    CHECK(std::isnan(found.max));
    CHECK(found.histogram.empty());
    x[static_cast<size_t>(place)] = inf;
    CHECK(statistics_of(Array::from(x, {100'000})).max == inf);
  }
  CHECK_THROWS_AS(statistics_of(Array::zeros({3}, int64)), TypeError);
}

TEST_CASE("tensor statistics: joined, scaled, and the distance") {
  const std::vector<double> x = values(5000);
  TensorStatistics all;
  int64_t begin = 0;
  for (const int64_t end : {0, 1, 7, 7, 2500, 5000}) {
    all.add(statistics_of(
        Array::from(std::span(x).subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)),
                    {end - begin}),
        true));
    begin = end;
  }
  check_close(all, naive(x));
  CHECK(all.histogram.empty());

  std::vector<double> halves = x;
  for (double& v : halves) v *= 0.5;
  const TensorStatistics half = statistics_of(Array::from(x, {5000}), true).scaled(0.5);
  check_close(half, naive(halves));
  CHECK(half.histogram == naive(halves).histogram);

  const Array a = Array::from<float>({1, 2, 2}, {3}), b = Array::from<float>({1, 5, -2}, {3});
  CHECK(distance(a, b) == 5);
  CHECK(distance(a, a) == 0);
  CHECK_THROWS_AS(distance(a, Array::zeros({1, 3})), ShapeError);
}

}  // namespace weft::test
