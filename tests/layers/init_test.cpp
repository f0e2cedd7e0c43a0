#include <doctest/doctest.h>
#include <weft/layers/linear.h>
#include <weft/lib/random.h>

#include "checks.h"

namespace weft::test {

TEST_CASE("init: first values follow the seed, the name and the order, and need a random scope") {
  const auto made = [](uint64_t seed) {
    const RandomScope random({.seed = seed});
    return Linear(4, 4).weight.value();
  };
  CHECK(made(1).identical(made(1)));
  CHECK_FALSE(made(1).identical(made(2)));
  const RandomScope random({.seed = 1});
  const Linear first(4, 4), second(4, 4);
  CHECK(first.weight.value().identical(made(1)));
  CHECK_FALSE(first.weight.value().identical(second.weight.value()));
}

TEST_CASE("init: random first values without a random scope are refused") {
  refuses<StateError>([] { Linear layer(4, 4); }, {"RandomScope"});
  CHECK_NOTHROW(Linear(4, 4, {.bias = false, .weight_init = init::zeros()}));
}

TEST_CASE("init: a model about to be loaded draws nothing") {
  const NoInit no_init;
  const Linear layer(4, 4);
  CHECK(layer.weight.value().identical(Array::zeros({4, 4})));
}

TEST_CASE("init: parameters have the type of the scope") {
  const DTypeScope doubles(float64);
  const RandomScope random({});
  CHECK(Linear(2, 2).weight.dtype() == float64);
}

}  // namespace weft::test
