#include <doctest/doctest.h>
#include <weft/lib/kernels/products/matmul.h>
#include <weft/lib/kernels/products/tuning.h>

#include <vector>

#include "lib/naive.h"

using namespace weft;
using namespace weft::kernels;

TEST_CASE("tuning: of the second cache, the defaults from 1 MB on") {
  const ProductTuning usual, small = ProductTuning::of({.second = 512 << 10});
  CHECK(ProductTuning::of({.second = 1 << 20}).text() == usual.text());
  CHECK(ProductTuning::of({.second = 2 << 20}).text() == usual.text());
  CHECK(small.panels == 5);
  CHECK(small.near_floats == usual.near_floats / 2);
  CHECK(small.depth == usual.depth);
  CHECK(ProductTuning::of({.second = 0}).panels >= 1);
  CHECK(usual.text() ==
        "depth=512 panels=10 shared_rows=560 near_floats=131072 cached_floats=786432 shared_floats=2097152 "
        "streamed_floats=2147483647");
  CHECK(processor_caches().second > 0);
}

TEST_CASE("tuning: no way of cutting changes a bit") {
  const std::vector<ProductTuning> ways{
      {},
      {.depth = 48, .panels = 1, .shared_rows = 1},
      {.depth = 1, .near_floats = 1, .cached_floats = 1, .shared_floats = 1},
      {.depth = 4096,
       .panels = 1000,
       .shared_rows = 100'000,
       .near_floats = 1 << 25,
       .shared_floats = 1 << 25},
      {.shared_rows = 1, .streamed_floats = 1}};  // in one step of k: else it is not streamed
  const Array x = naive::random({300, 704}, float32, 1), w = naive::random({260, 704}, float32, 2);
  const auto made = [&](const ProductTuning& way) {
    const TuningScope scope(way);
    CHECK(product_tuning().text() == way.text());
    Array outer({260, 704}, float32);
    outer.fill(7);  // nothing that was here before is the result
    accumulate_outer(outer, linear(x, w, {}), x, true);
    return std::vector<Array>{linear(x, w, {}), outer, linear(x.to(bfloat16), w, {}),
                              matmul(w, x, false, true)};
  };
  const std::vector<Array> expected = made(ways[0]);
  for (const ProductTuning& way : ways) {
    CAPTURE(way.text());
    const std::vector<Array> found = made(way);
    for (size_t i = 0; i < found.size(); ++i) CHECK(found[i].identical(expected[i]));
  }
}
