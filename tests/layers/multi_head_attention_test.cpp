#include <doctest/doctest.h>
#include <weft/autograd/ops.h>
#include <weft/layers/multi_head_attention.h>
#include <weft/lib/random.h>

#include "reference.h"

namespace weft::test {

TEST_CASE("multi-head attention: equals PyTorch's, over itself and over another sequence") {
  const RandomScope random({});
  MultiHeadAttention layer(8, 2);
  check_layer("attention", layer, [&](const Inputs& in) { return layer(in.at("x")); });
  check_layer("attention causal", layer, [&](const Inputs& in) { return layer(in.at("x"), Mask::causal()); });
  check_layer("attention cross", layer, [&](const Inputs& in) {
    return layer.forward(in.at("x"), in.at("memory"), Mask::lengths({7, 4}));
  });
}

TEST_CASE("multi-head attention: heads that share keys and values, as PyTorch's grouped attention") {
  const RandomScope random({});
  MultiHeadAttention layer(8, 4, {.kv_heads = 2});
  CHECK(layer.key.weight.shape() == Shape{4, 8});
  check_layer("attention grouped", layer,
              [&](const Inputs& in) { return layer(in.at("x"), Mask::causal()); });
  CHECK(layer.weights(zeros({1, 3, 8}, float64), zeros({1, 2, 8}, float64)).shape() == Shape{1, 4, 3, 2});
}

TEST_CASE("multi-head attention: gives PyTorch's weights when asked") {
  const RandomScope random({});
  MultiHeadAttention layer(8, 2);
  const StateDict& expected = reference("attention cross");
  layer.load_state_dict(expected.dict("weights"));
  const Array weights =
      layer.weights(Tensor(expected.array("x")), Tensor(expected.array("memory")), Mask::lengths({7, 4}));
  CHECK(difference(weights, expected.array("seen"), 1e-6) == "");
}

TEST_CASE("multi-head attention: dropout of the weights in training alone, with numbers of its own path") {
  const RandomScope random({.seed = 5});
  MultiHeadAttention layer(8, 2, {.dropout = 0.5});
  const Tensor x(random_uniform({2, 5, 8}, -1, 1, random_key(0, 1)));
  const Array dropped = layer(x).value();
  layer.eval();
  const Array whole = layer(x).value();
  CHECK_FALSE(dropped.identical(whole));
  CHECK(layer(x).value().identical(whole));
}

TEST_CASE("multi-head attention: decoding with a cache has the bits of the causal pass") {
  const RandomScope random({.seed = 6});
  const Tensor x(random_uniform({2, 70, 12}, -1, 1, random_key(0, 2)));
  const NoGrad no_grad;
  for (const int64_t kv_heads : {0, 1}) {
    const MultiHeadAttention layer(12, 3, {.kv_heads = kv_heads});
    const Tensor whole = layer(x, Mask::causal());
    KeyValueCache cache;
    for (int64_t begin = 0, end = 3; begin < 70; begin = end++) {
      const Tensor y = layer.forward(slice(x, 1, begin, end), cache);
      CHECK(y.value().identical(slice(whole, 1, begin, end).value()));
    }
  }
}

TEST_CASE("multi-head attention: heads that do not divide the width") {
  refuses<ValueError>([] { MultiHeadAttention layer(8, 3); }, {"MultiHeadAttention", "3 heads", "8"});
  refuses<ValueError>([] { MultiHeadAttention layer(8, 0); }, {"MultiHeadAttention", "0 heads"});
  for (const int64_t kv_heads : {-1, 3, 8})
    refuses<ValueError>([&] { MultiHeadAttention layer(8, 4, {.kv_heads = kv_heads}); },
                        {"MultiHeadAttention", cat(kv_heads, " heads of keys"), "4 heads"});
  refuses<ValueError>(
      [] {
        const RandomScope random({});
        MultiHeadAttention layer(8, 2, {.dropout = 1.5});
      },
      {"MultiHeadAttention", "1.5"});
}

}  // namespace weft::test
