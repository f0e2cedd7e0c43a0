#include <doctest/doctest.h>
#include <weft/autograd/ops.h>
#include <weft/layers/gradcheck_module.h>
#include <weft/layers/multi_head_attention.h>
#include <weft/lib/array/random.h>

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
  const std::vector<MultiHeadAttentionOptions> all = {{},
                                                      {.kv_heads = 1},
                                                      {.rotary = 100.0},
                                                      {.kv_heads = 1, .head_width = 6, .rotary = 10000.0},
                                                      {.alibi = true},
                                                      {.rotary = 10000.0, .window = 5},
                                                      {.scale = 1.0, .alibi = true, .window = 67}};
  for (const MultiHeadAttentionOptions& options : all) {
    const MultiHeadAttention layer(12, 3, options);
    const Tensor whole = layer(x, Mask::causal());
    KeyValueCache cache;
    for (int64_t begin = 0, end = 3; begin < 70; begin = end++) {
      const Tensor y = layer.forward(slice(x, 1, begin, end), cache);
      CHECK(y.value().identical(slice(whole, 1, begin, end).value()));
    }
  }
}

TEST_CASE(
    "multi-head attention: rows of different lengths have the bits of each alone, whatever the positions") {
  const RandomScope random({.seed = 6});
  const Tensor x(random_uniform({2, 30, 12}, -1, 1, random_key(0, 2)));
  const NoGrad no_grad;
  const std::vector<MultiHeadAttentionOptions> all = {
      {.rotary = 100.0}, {.alibi = true}, {.rotary = 10000.0, .window = 5}};
  for (const MultiHeadAttentionOptions& options : all) {
    const MultiHeadAttention layer(12, 3, options);
    const Tensor whole = layer(x, Mask::causal());
    const auto tokens = [](const Tensor& of, int64_t row, int64_t begin, int64_t end) {
      return slice(slice(of, 0, row, row + 1), 1, begin, end);
    };
    KeyValueCache cache;
    layer.forward(slice(x, 1, 0, 9), cache, std::vector<int64_t>{9, 2});
    for (int64_t i = 0; i < 10; ++i) {
      const Tensor next = cat({tokens(x, 0, 9 + i, 10 + i), tokens(x, 1, 2 + i, 3 + i)}, 0);
      const Tensor expected = cat({tokens(whole, 0, 9 + i, 10 + i), tokens(whole, 1, 2 + i, 3 + i)}, 0);
      CHECK(layer.forward(next, cache).value().identical(expected.value()));
    }
  }
}

TEST_CASE("multi-head attention: a remembered context has the bits of the context") {
  const RandomScope random({.seed = 6});
  const Tensor x(random_uniform({2, 3, 12}, -1, 1, random_key(0, 2)));
  const Tensor context(random_uniform({2, 7, 12}, -1, 1, random_key(0, 3)));
  const NoGrad no_grad;
  for (const MultiHeadAttentionOptions& options :
       std::vector<MultiHeadAttentionOptions>{{}, {.kv_heads = 1}, {.qk_norm = RMSNormOptions{}}}) {
    const MultiHeadAttention layer(12, 3, options);
    const std::vector<int64_t> lengths = {7, 4};
    const KeyValueCache memory = layer.remember(context, lengths);
    CHECK(layer.forward_memory(x, memory).value().identical(
        layer.forward(x, context, Mask::lengths(lengths)).value()));
    CHECK(layer.forward_memory(x, layer.remember(context))
              .value()
              .identical(layer.forward(x, context).value()));
  }
}

TEST_CASE("multi-head attention: norms of queries and keys, and gated values: gradients, weights, a cache") {
  const RandomScope random({.seed = 7});
  MultiHeadAttention layer(16, 4,
                           {.kv_heads = 2, .rotary = 50.0, .qk_norm = RMSNormOptions{}, .value_gate = 5});
  CHECK(layer.query_norm->weight.shape() == Shape{4});
  CHECK(layer.value_gate->weight.shape() == Shape{2, 5});
  const Tensor x(random_uniform({2, 6, 16}, -1, 1, random_key(0, 2)));
  const Tensor values(random_uniform({2, 6, 8}, -1, 1, random_key(0, 3)));
  // A gate of zeros is a factor of 1.
  const Tensor ungated = layer.value(x) + values;
  const Tensor weights(layer.weights(x, x, Mask::causal()));
  const Tensor apart = permute(reshape(ungated, {2, 6, 2, 4}), {0, 2, 1, 3});
  const Tensor heads = reshape(expand(reshape(apart, {2, 2, 1, 6, 4}), {2, 2, 2, 6, 4}), {2, 4, 6, 4});
  const Tensor again = layer.output(reshape(permute(matmul(weights, heads), {0, 2, 1, 3}), {2, 6, 16}));
  CHECK(difference(layer(x, Mask::causal(), Tensor(), values).value(), again.value(), 2e-6) == "");

  Tensor(layer.value_gate->weight).set_value(random_uniform({2, 5}, -1, 1, random_key(0, 5)));
  {
    const NoGrad no_grad;
    const Tensor whole = layer(x, Mask::causal(), Tensor(), values);
    KeyValueCache cache;
    for (int64_t t = 0; t < 6; ++t) {
      const auto at = [&](const Tensor& of) { return slice(of, 1, t, t + 1); };
      CHECK(layer(at(x), cache, std::span<const int64_t>{}, Tensor(), at(values))
                .value()
                .identical(at(whole).value()));
    }
  }
  refuses<ShapeError>([&] { layer(x); }, {"no values", "(2, 6, 8)", "a gate"});
  refuses<ShapeError>([&] { layer(x, Mask{}, Tensor(), x); }, {"values (2, 6, 16)", "(2, 6, 8)"});
  layer.to(float64);
  CHECK(gradcheck(layer, {}, Tensor(x.value().to(float64)), Mask::causal() & Mask::documents({{0, 2}, {0}}),
                  Tensor(zeros({1, 1, 6, 6}, float64)), Tensor(values.value().to(float64)))
            .failure == "");

  const MultiHeadAttention plain(16, 4);
  refuses<ShapeError>([&] { plain(x, Mask{}, Tensor(), x); }, {"values (2, 6, 16)", "no gate"});
  refuses<ValueError>([] { MultiHeadAttention wrong(8, 2, {.value_gate = 9}); }, {"value_gate", "9 of 8"});
}

TEST_CASE("multi-head attention: its weights are those that it uses, with positions, windows and a bias") {
  const RandomScope random({.seed = 7});
  const Tensor x(random_uniform({2, 9, 12}, -1, 1, random_key(0, 2), float64));
  const Tensor bias(random_uniform({3, 9, 9}, -1, 1, random_key(0, 4), float64));
  MultiHeadAttention layer(12, 3, {.scale = 0.7, .rotary = 50.0, .alibi = true, .window = 4});
  layer.to(float64);
  const Tensor weights(layer.weights(x, x, Mask::causal() & Mask::lengths({9, 3}), bias));
  CHECK(weights.shape() == Shape{2, 3, 9, 9});
  CHECK(weights.value().at({0, 1, 6, 2}) == 0);
  CHECK(weights.value().at({0, 1, 6, 3}) > 0);
  for (int64_t s = 0; s < 9; ++s) CHECK(weights.value().at({1, 0, 7, s}) == 0);
  const Tensor values = permute(reshape(layer.value(x), {2, 9, 3, 4}), {0, 2, 1, 3});
  const Tensor y = reshape(permute(matmul(weights, values), {0, 2, 1, 3}), {2, 9, 12});
  const Tensor expected = layer.forward(x, Mask::causal() & Mask::lengths({9, 3}), bias);
  CHECK(difference(layer.output(y).value(), expected.value(), 1e-13) == "");
}

TEST_CASE("multi-head attention: heads of a width of their own") {
  const RandomScope random({});
  const MultiHeadAttention layer(10, 3, {.kv_heads = 1, .head_width = 4});
  CHECK(layer.query.weight.shape() == Shape{12, 10});
  CHECK(layer.key.weight.shape() == Shape{4, 10});
  CHECK(layer.output.weight.shape() == Shape{10, 12});
  CHECK(layer(zeros({2, 5, 10})).shape() == Shape{2, 5, 10});
}

TEST_CASE("multi-head attention: heads that do not divide the width") {
  refuses<ValueError>([] { MultiHeadAttention layer(8, 3); }, {"MultiHeadAttention", "3 heads", "8"});
  refuses<ValueError>([] { MultiHeadAttention layer(8, 0); }, {"MultiHeadAttention", "0 heads"});
  for (const int64_t kv_heads : {-1, 3, 8})
    refuses<ValueError>([&] { MultiHeadAttention layer(8, 4, {.kv_heads = kv_heads}); },
                        {"MultiHeadAttention", str(kv_heads, " heads of keys"), "4 heads"});
  refuses<ValueError>(
      [] {
        const RandomScope random({});
        MultiHeadAttention layer(8, 2, {.dropout = 1.5});
      },
      {"MultiHeadAttention", "1.5"});
  refuses<ValueError>([] { MultiHeadAttention layer(8, 2, {.head_width = -1}); }, {"head_width -1"});
  refuses<ValueError>([] { MultiHeadAttention layer(8, 2, {.window = -1}); }, {"window -1"});
  refuses<ValueError>([] { MultiHeadAttention layer(6, 2, {.rotary = 10.0}); }, {"rotary", "3"});
}

}  // namespace weft::test
