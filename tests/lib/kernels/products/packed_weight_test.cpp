#include <doctest/doctest.h>
#include <weft/lib/array/random.h>
#include <weft/lib/kernels/products/matmul.h>
#include <weft/lib/kernels/products/packed_weight.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>

using namespace weft;
using namespace weft::kernels;

namespace {

Array numbers(const Shape& shape, uint64_t stream) {
  return random_normal(shape, 0, 1, random_key(3, stream), float32);
}

/// The same product as one of many rows, which never asks for panels.
Array as_rows_of_many(const Array& x, const Array& weight, const Array& bias) {
  Array many = Array::zeros({64, x.dim(1)}, float32);
  std::copy_n(x.data<float>(), x.size(), many.mutable_data<float>());
  const Array y = linear(many, weight.copy(), bias);
  Array first({x.dim(0), weight.dim(0)}, float32);
  std::copy_n(y.data<float>(), first.size(), first.mutable_data<float>());
  return first;
}

}  // namespace

TEST_CASE("products of few rows give the same bits from panels as from the weight") {
  for (const int64_t outputs : {17, 32, 65, 130, 384, 2100}) {
    for (const int64_t inputs : {33, 64, 200}) {
      const Array weight = numbers({outputs, inputs}, 1);
      for (const int64_t rows : {1, 2, 3, 8, 14, 15, 16}) {
        const Array x = numbers({rows, inputs}, 2);
        for (const Array& bias : {Array(), numbers({outputs}, 4)}) {
          const Array wanted = as_rows_of_many(x, weight, bias);
          for (int call = 0; call < 3; ++call) REQUIRE(linear(x, weight, bias).identical(wanted));
        }
      }
      if (weight.size() >= 1024) CHECK(weight.buffer()->derived.load() != nullptr);
    }
  }
}

TEST_CASE("panels are made at the second product with the same values, and dropped when these change") {
  Array weight = numbers({64, 64}, 1);
  const Array x = numbers({1, 64}, 2);
  CHECK(packed_weight(weight) == nullptr);
  const auto panels = packed_weight(weight);
  REQUIRE(panels != nullptr);
  CHECK(packed_weight(weight.reshape({64, 64})) == panels);
  const Array half = weight.reshape({32, 128}), long_x = numbers({1, 128}, 5);
  for (int call = 0; call < 3; ++call)
    CHECK(linear(long_x, half, Array()).identical(as_rows_of_many(long_x, half, Array())));

  const Array before = linear(x, weight, Array());
  weight.mutable_data<float>()[0] += 1;
  CHECK(weight.buffer()->derived.load() == nullptr);
  CHECK(packed_weight(weight) == nullptr);
  Array after;
  for (int call = 0; call < 3; ++call) {
    after = linear(x, weight, Array());
    CHECK(after.identical(as_rows_of_many(x, weight, Array())));
  }
  CHECK(!after.identical(before));
  CHECK(packed_weight(numbers({2, 3}, 1)) == nullptr);
}
