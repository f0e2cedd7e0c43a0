#include <doctest/doctest.h>
#include <weft/layers/feed_forward.h>
#include <weft/lib/array/random.h>

#include "reference.h"

namespace weft::test {

TEST_CASE("feed-forward: equals PyTorch's with every activation") {
  const RandomScope random({});
  for (const auto& [name, activation] : {std::pair{"relu", Activation::relu},
                                         {"gelu", Activation::gelu},
                                         {"gelu_tanh", Activation::gelu_tanh},
                                         {"silu", Activation::silu}}) {
    FeedForward layer(8, {.hidden = 12, .activation = activation});
    check_layer(str("feed_forward ", name), layer, [&](const Inputs& in) { return layer(in.at("x")); });
  }
}

TEST_CASE("feed-forward: gated, equals PyTorch's SwiGLU, GEGLU and ReGLU") {
  const RandomScope random({});
  for (const auto& [name, activation] : {std::pair{"relu", Activation::relu},
                                         {"gelu", Activation::gelu},
                                         {"gelu_tanh", Activation::gelu_tanh},
                                         {"silu", Activation::silu}}) {
    FeedForward layer(8, {.hidden = 12, .activation = activation, .gated = true});
    check_layer(str("feed_forward gated ", name), layer, [&](const Inputs& in) { return layer(in.at("x")); });
  }
}

TEST_CASE("feed-forward: four times as wide inside unless said otherwise") {
  const RandomScope random({});
  const FeedForward layer(8, {.bias = false});
  CHECK(layer.up.weight.shape() == Shape{32, 8});
  CHECK(layer.down.weight.shape() == Shape{8, 32});
  CHECK(layer.parameters().size() == 2);
  CHECK(layer.gate == nullptr);
  const FeedForward gated(8, {.hidden = 20, .gated = true});
  CHECK(gated.parameters().front().name == "gate.weight");
  CHECK(gated.gate->weight.shape() == Shape{20, 8});
  CHECK(gated.parameters().size() == 6);
}

TEST_CASE("feed-forward: squared ReLU") {
  const RandomScope random({});
  FeedForward layer(3, {.hidden = 5, .activation = Activation::relu2, .bias = false});
  const Tensor x = Tensor(Array::from<float>({1, -2, 0.5F, 3, 0, -1}, {2, 3}));
  const Tensor hidden = relu(layer.up(x));
  CHECK(layer(x).value().identical(layer.down(hidden * hidden).value()));
  CHECK(activate(Activation::relu2, Tensor(Array::from<float>({-3, 0, 3}, {3})))
            .value()
            .identical(Array::from<float>({0, 0, 9}, {3})));
}

}  // namespace weft::test
