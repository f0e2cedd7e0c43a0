#include <doctest/doctest.h>
#include <weft/layers/linear.h>
#include <weft/lib/array/random.h>

#include "reference.h"

namespace weft::test {

TEST_CASE("linear: equals PyTorch's") {
  const RandomScope random({});
  Linear with(8, 3), without(8, 3, {.bias = false});
  check_layer("linear", with, [&](const Inputs& in) { return with(in.at("x")); });
  check_layer("linear without bias", without, [&](const Inputs& in) { return without(in.at("x")); });
}

TEST_CASE("linear: first values are uniform within 1 / sqrt(inputs), or as asked") {
  const RandomScope random({.seed = 3});
  const Linear layer(100, 200);
  double largest = 0, sum_of_squares = 0;
  for (const float w : layer.weight.value().values<float>()) {
    largest = std::max(largest, std::abs(static_cast<double>(w)));
    sum_of_squares += static_cast<double>(w) * static_cast<double>(w);
  }
  CHECK(largest <= 0.1);
  CHECK(largest > 0.0999);
  CHECK(sum_of_squares / 20'000 == doctest::Approx(0.01 / 3).scale(0).epsilon(0.03));
  const Linear zero(2, 2, {.weight_init = init::zeros(), .bias_init = init::ones()});
  CHECK(zero.weight.value().identical(Array::zeros({2, 2})));
  CHECK(zero.bias.value().identical(Array::ones({2})));
}

TEST_CASE("linear: shapes that do not fit are refused with both") {
  const RandomScope random({});
  const Linear layer(8, 3);
  refuses<ShapeError>([&] { layer(zeros({2, 7})); }, {"linear", "(2, 7)", "(3, 8)"});
}

}  // namespace weft::test
