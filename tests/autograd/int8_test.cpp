#include <doctest/doctest.h>
#include <weft/autograd/int8.h>
#include <weft/autograd/ops.h>
#include <weft/lib/array/random.h>
#include <weft/lib/kernels/products/int8_weight.h>

#include <cmath>

#include "checks.h"

using namespace weft;

namespace {

Tensor drawn_numbers(const Shape& shape, uint64_t stream) {
  return Tensor(random_normal(shape, 0, 1, random_key(3, stream), float32));
}

}  // namespace

TEST_CASE("int8: linear and linears take the integers of a weight") {
  const Tensor x = drawn_numbers({3, 80}, 1), weight = drawn_numbers({20, 80}, 2),
               bias = drawn_numbers({20}, 3);
  const Array expected = kernels::linear(x.value(), kernels::Int8Weight(weight.value()), bias.value());
  const Array other = linear(x, drawn_numbers({20, 80}, 4), bias).value();
  for (const FloatValues values : {FloatValues::dropped, FloatValues::kept}) {
    const Tensor integers(weight.value().copy());
    CHECK(!is_int8(integers));
    quantize_int8(integers, values);
    quantize_int8(integers, values);
    CHECK(is_int8(integers));
    CHECK(linear(x, integers, bias).value().identical(expected));
    CHECK(linears(x, {{integers, bias}, {integers, bias}})[1].value().identical(expected));
    const std::vector<Tensor> mixed = linears(x, {{integers, bias}, {drawn_numbers({20, 80}, 4), bias}});
    CHECK(mixed[0].value().identical(expected));
    CHECK(mixed[1].value().identical(other));
  }
  CHECK(!linear(x, weight, bias).value().identical(expected));
}

TEST_CASE("int8: values that were given up are refused to whoever asks, those that were kept are there") {
  Tensor weight = drawn_numbers({20, 80}, 2), table = drawn_numbers({20, 80}, 2);
  quantize_int8(weight, FloatValues::dropped);
  quantize_int8(table, FloatValues::kept);
  test::refuses<StateError>([&] { weight.value(); }, {"a weight (20, 80) in int8", "open the model again"});
  CHECK_THROWS_AS(weight.shape(), StateError);
  CHECK(embedding(Array::zeros({2}, int64), table).shape() == Shape{2, 80});
  for (Tensor* const each : {&weight, &table}) {
    CHECK_THROWS_AS(each->mutable_value(), StateError);
    CHECK_THROWS_AS(each->set_value(Array::zeros({20, 80})), StateError);
    test::refuses<StateError>([&] { each->set_requires_grad(); },
                              {"set_requires_grad", "neither changed nor trained"});
    CHECK(!each->requires_grad());
  }
}

TEST_CASE("int8: nothing beside such a weight has a gradient") {
  const Tensor weight = drawn_numbers({20, 80}, 2), bias = drawn_numbers({20}, 3);
  quantize_int8(weight, FloatValues::dropped);
  Tensor x = drawn_numbers({3, 80}, 1);
  x.set_requires_grad();
  test::refuses<StateError>([&] { linear(x, weight, bias); }, {"in int8", "use NoGrad"});
  const NoGrad no_grad;
  CHECK(!linear(x, weight, bias).requires_grad());
}

TEST_CASE("int8: what makes no integers is refused, and stays") {
  const Tensor doubles = zeros({4, 4}, float64), row = zeros({4}, float32);
  test::refuses<TypeError>([&] { quantize_int8(doubles, FloatValues::kept); }, {"float32, not float64"});
  test::refuses<ShapeError>([&] { quantize_int8(row, FloatValues::kept); }, {"(O, I), not (4,)"});
  const Tensor bad = full({4, 4}, NAN, float32);
  test::refuses<ValueError>([&] { quantize_int8(bad, FloatValues::kept); }, {"NaN or infinity"});
  CHECK(!is_int8(bad));
  Tensor leaf = drawn_numbers({4, 4}, 1);
  leaf.set_requires_grad();
  CHECK_THROWS_AS(quantize_int8(leaf * 2.0, FloatValues::kept), StateError);
}
