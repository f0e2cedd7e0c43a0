#include <doctest/doctest.h>
#include <weft/layers/conv.h>
#include <weft/layers/patch_embedding.h>

#include <cmath>

#include "reference.h"

namespace weft::test {

TEST_CASE("conv: layers equal PyTorch's") {
  const RandomScope random({});
  Conv1d line(4, 6, 3, {.stride = 2, .padding = 1, .groups = 2});
  check_layer("conv1d", line, [&](const Inputs& in) { return line(in.at("x")); });
  Conv2d picture(4, 6, {3, 2}, {.stride = {1, 2}, .padding = {1, 1}, .dilation = {2, 1}});
  check_layer("conv2d", picture, [&](const Inputs& in) { return picture(in.at("x")); });
  Conv2d bare(4, 6, {3, 3}, {}, false);
  check_layer("conv2d without bias", bare, [&](const Inputs& in) { return bare(in.at("x")); });
}

TEST_CASE("conv: first values are PyTorch's") {
  const RandomScope random({.seed = 1});
  const Conv2d layer(8, 64, {3, 3}, {.groups = 2});
  const double bound = 1 / std::sqrt(4.0 * 9.0);
  CHECK(layer.weight.shape() == Shape{64, 4, 3, 3});
  CHECK(max(abs(layer.weight)).item() <= bound);
  CHECK(std::sqrt(var(layer.weight).item()) ==
        doctest::Approx(bound / std::sqrt(3.0)).scale(0).epsilon(0.05));
  CHECK(max(abs(layer.bias)).item() <= bound);
}

TEST_CASE("conv: arguments that do not fit") {
  refuses<ValueError>([] { Conv1d layer(0, 2, 3); }, {"Conv1d", "0 channels"});
  refuses<ValueError>([] { Conv2d layer(2, 2, {3, 0}); }, {"Conv2d", "kernel of 0"});
  refuses<ValueError>([] { Conv2d layer(4, 6, {3, 3}, {.groups = 4}); }, {"Conv2d", "4 groups", "6 outputs"});
  refuses<ValueError>([] { Conv1d layer(4, 6, 3, {.groups = 0}); }, {"Conv1d", "0 groups"});
}

}  // namespace weft::test
