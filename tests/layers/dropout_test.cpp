#include <doctest/doctest.h>
#include <weft/layers/dropout.h>
#include <weft/lib/array/random.h>

#include "checks.h"

namespace weft::test {

namespace {

struct Two : Module {
  Dropout &first, &second;
  Two() : first(child<Dropout>("first", 0.5)), second(child<Dropout>("second", 0.5)) {}
};

}  // namespace

TEST_CASE("dropout layer: acts in training only, and then needs a random scope") {
  Dropout layer(0.5);
  const Tensor x = ones({4, 50});
  refuses<StateError>([&] { layer(x); }, {"dropout", "RandomScope"});
  layer.eval();
  CHECK(layer(x).value().identical(x.value()));
  layer.train();
  const RandomScope random({.seed = 1});
  CHECK_FALSE(layer(x).value().identical(x.value()));
}

TEST_CASE("dropout layer: its path names its random numbers") {
  const Two model;
  const Tensor x = ones({4, 50});
  const RandomScope random({.seed = 1});
  const Array first = model.first(x).value();
  CHECK_FALSE(first.identical(model.second(x).value()));
  CHECK(first.identical([&] {
    const RandomScope again({.seed = 1});
    return dropout(x, 0.5, "first").value();
  }()));
}

TEST_CASE("dropout layer: probabilities out of range") {
  refuses<ValueError>([] { Dropout layer(1.0); }, {"Dropout", "1"});
  refuses<ValueError>([] { Dropout layer(-0.5); }, {"Dropout", "-0.5"});
}

}  // namespace weft::test
