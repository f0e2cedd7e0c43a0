#include <doctest/doctest.h>
#include <weft/layers/additive_attention.h>
#include <weft/lib/array/random.h>

#include "reference.h"

namespace weft::test {

TEST_CASE("additive attention: equals its formula in PyTorch, padding included") {
  const RandomScope random({});
  AdditiveAttention layer(8, 8, 6);
  check_layer("additive_attention", layer, [&](const Inputs& in) {
    return layer(in.at("x"), layer.read(in.at("memory"), {7, 4}));
  });
}

TEST_CASE("additive attention: weights add up to 1 over the tokens there are") {
  const RandomScope random({.seed = 1});
  const AdditiveAttention layer(5, 4, 3);
  const Tensor x(random_uniform({3, 2, 5}, -1, 1, random_key(0, 1)));
  const Tensor states(random_uniform({3, 6, 4}, -1, 1, random_key(0, 2)));
  const auto memory = layer.read(states, {6, 2, 0});
  const Tensor weights(layer.weights(x, memory));
  CHECK(weights.shape() == Shape{3, 2, 6});
  CHECK(difference(sum(weights, {-1}).value(), Array::from<float>({1, 1, 1, 1, 0, 0}, {3, 2}), 1e-6) == "");
  CHECK(slice(slice(weights, 0, 1, 2), 2, 2, 6).value().identical(Array::zeros({1, 2, 4})));
  CHECK(slice(layer(x, memory), 0, 2, 3).value().identical(Array::zeros({1, 2, 4})));
}

TEST_CASE("additive attention: neither padding nor other rows nor other queries change a bit") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  const AdditiveAttention layer(20, 24, 30);
  const Tensor x(random_uniform({3, 5, 20}, -1, 1, random_key(0, 1)));
  const Tensor states(random_uniform({3, 21, 24}, -1, 1, random_key(0, 2)));
  const Tensor whole = layer(x, layer.read(states, {21, 7, 18}));
  const auto alone = layer.read(slice(slice(states, 0, 1, 2), 1, 0, 7));
  for (int64_t t = 0; t < 5; ++t) {
    const Tensor row = layer(slice(slice(x, 0, 1, 2), 1, t, t + 1), alone);
    CHECK(row.value().identical(slice(slice(whole, 0, 1, 2), 1, t, t + 1).value()));
  }
}

TEST_CASE("additive attention: arguments that do not fit") {
  const RandomScope random({.seed = 1});
  const AdditiveAttention layer(5, 4, 3);
  refuses<ShapeError>([&] { layer.read(zeros({2, 6, 5})); }, {"(2, 6, 5)"});
  const auto memory = layer.read(zeros({2, 6, 4}), {7, 1});
  refuses<ShapeError>([&] { layer(zeros({2, 3, 5}), memory); }, {"7", "(2, 1, 3, 6)"});
}

}  // namespace weft::test
