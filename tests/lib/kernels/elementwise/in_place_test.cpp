#include <weft/lib/base/error.h>
#include <weft/lib/kernels/elementwise/elementwise.h>

#include "lib/naive.h"

using namespace weft;

TEST_CASE("add_into, scale_into: values, versions, threads") {
  for (const DType dtype : {float32, float64}) {
    const Array x = naive::random({3, 20001}, dtype), y = naive::random({3, 20001}, dtype, 2);
    const auto add = [&] {
      Array sum = y.copy();
      kernels::add_into(sum, x);
      return sum;
    };
    CHECK(add().identical(kernels::binary(kernels::Binary::add, y, x)));
    naive::same_for_threads(add);
    Array scaled = y.copy();
    const uint64_t version = scaled.version();
    kernels::scale_into(scaled, 0.1);
    CHECK(scaled.version() > version);
    CHECK(scaled.identical(kernels::binary(kernels::Binary::mul, y, 0.1)));
  }
  Array twice = naive::numbered({5});
  kernels::add_into(twice, twice);
  CHECK(twice.identical(Array::from({2.0f, 4.0f, 6.0f, 8.0f, 10.0f}, {5})));
  Array none = Array::zeros({0}, float32);
  kernels::add_into(none, none);
  kernels::scale_into(none, 2);
}

TEST_CASE("add_into: bad input changes nothing") {
  Array y = naive::numbered({3});
  CHECK_THROWS_WITH_AS(kernels::add_into(y, Array::ones({1}, float32)),
                       "add_into: shapes differ: y is (3,), x is (1,)", ShapeError);
  CHECK_THROWS_AS(kernels::add_into(y, Array::ones({3}, float64)), TypeError);
  CHECK(y.identical(naive::numbered({3})));
  Array whole = Array::zeros({3}, int64);
  CHECK_THROWS_AS(kernels::scale_into(whole, 2), TypeError);
}
