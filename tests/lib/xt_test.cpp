#include <doctest/doctest.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/xt.h>

#include <xtensor/xarray.hpp>
#include <xtensor/xmath.hpp>

#include "lib/naive.h"

using namespace weft;

TEST_CASE("xtensor: an immediate sum over an axis of an array of dynamic rank (its issue 1970)") {
  // Without g++'s -fno-new-ttp-matching, which linking weft::xt brings, this writes outside of its memory.
  const xt::xarray<double> a{{1, 2, 3}, {4, 5, 6}};
  const xt::xarray<double> rows = xt::sum(a, {1}, xt::evaluation_strategy::immediate);
  const xt::xarray<double> columns = xt::sum(a, {0}, xt::evaluation_strategy::immediate);
  CHECK(rows == xt::xarray<double>{6, 15});
  CHECK(columns == xt::xarray<double>{5, 7, 9});
}

TEST_CASE("as_xt: expressions over the buffer itself, in its shape") {
  const Array a = naive::numbered({2, 3, 4});
  const auto x = as_xt<float>(a);
  CHECK(x.dimension() == 3);
  CHECK(x.shape(2) == 4);
  CHECK(x(1, 2, 3) == 24);
  CHECK(&x(0, 0, 0) == a.data<float>());
  const xt::xarray<float> sums = xt::sum(x, {2}, xt::evaluation_strategy::immediate);
  CHECK(sums(1, 2) == 21 + 22 + 23 + 24);
  CHECK_THROWS_AS(as_xt<double>(a), TypeError);
  CHECK(as_xt<float>(Array::scalar(3))() == 3);
  CHECK(as_xt<float>(Array({2, 0})).size() == 0);
}

TEST_CASE("as_xt_mutable: writes through, and counts as a change") {
  Array a = naive::numbered({2, 3});
  const uint64_t before = a.version();
  auto y = as_xt_mutable<float>(a);
  CHECK(a.version() > before);
  y = xt::where(y > 3.0f, y, -y);
  CHECK(a.identical(Array::from<float>({-1, -2, -3, 4, 5, 6}, {2, 3})));
  CHECK_THROWS_AS(as_xt_mutable<int64_t>(a), TypeError);
}

TEST_CASE("as_xt of a tile: elementwise work in a parallel loop") {
  const Array x = naive::numbered({100000});
  Array y({100000});
  const float* from = x.data<float>();
  float* to = y.mutable_data<float>();
  parallel_for(x.size(), 1 << 12, [&](int64_t begin, int64_t end) {
    as_xt_mutable(to + begin, end - begin) = 2.0f * as_xt(from + begin, end - begin) + 1.0f;
  });
  for (int64_t i = 0; i < y.size(); ++i) REQUIRE(to[i] == 2.0f * from[i] + 1.0f);
}
