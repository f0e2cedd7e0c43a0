#include <doctest/doctest.h>
#include <weft/layers/patch_embedding.h>

#include "reference.h"

namespace weft::test {

TEST_CASE("patch embedding: equals PyTorch's convolution with its kernel for a stride") {
  const RandomScope random({});
  PatchEmbedding layer(3, 4, 8);
  check_layer("patch_embedding", layer, [&](const Inputs& in) { return layer(in.at("x")); });
}

TEST_CASE("patch embedding: patches go row by row") {
  PatchEmbedding layer(1, 2, 1, {.bias = false, .weight_init = init::ones()});
  const Tensor x(Array::arange(24).to(float32).reshape({1, 1, 4, 6}));
  CHECK(layer(x).value().identical(
      Array::from<float>({14, 22, 30, 62, 70, 78}, {1, 6, 1})));  // 0 + 1 + 6 + 7, ...
}

TEST_CASE("patch embedding: arguments that do not fit") {
  refuses<ValueError>([] { PatchEmbedding layer(3, 0, 8); }, {"PatchEmbedding", "patches of 0"});
  const RandomScope random({});
  const PatchEmbedding layer(3, 4, 8);
  refuses<ShapeError>(
      [&] {
        layer(zeros({2, 3, 8, 10}));
      },
      {"PatchEmbedding", "(2, 3, 8, 10)", "multiples of 4"});
  refuses<ShapeError>(
      [&] {
        layer(zeros({2, 1, 8, 8}));
      },
      {"PatchEmbedding", "(2, 1, 8, 8)", "(B, 3, H, W)"});
  refuses<ShapeError>([&] { layer(zeros({3, 8, 8})); }, {"PatchEmbedding", "(3, 8, 8)"});
}

}  // namespace weft::test
