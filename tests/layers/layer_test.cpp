#include <doctest/doctest.h>
#include <weft/layers/embedding.h>
#include <weft/layers/layer.h>
#include <weft/layers/linear.h>
#include <weft/layers/models/gpt.h>
#include <weft/layers/multi_head_attention.h>
#include <weft/layers/recurrent.h>
#include <weft/lib/array/random.h>

#include "checks.h"

namespace weft::test {

namespace {

/// A layer of one's own, with nothing but forward().
struct Scaled : Layer<Scaled> {
  Tensor scale = parameter("scale", {3}, init::ones());
  int calls = 0;
  Tensor forward(const Tensor& x, double by = 2) const { return x * scale * by; }
  Tensor forward(const Tensor& x, const char*) {
    ++calls;
    return x;
  }
};

/// One that builds on another, and does more.
struct Shifted : Layer<Shifted, Linear> {
  using Layer::Layer;
  Tensor forward(const Tensor& x) const { return Linear::forward(x) + 1.0; }
};

Tensor row() { return tensor({1, 2, 3}, {1, 3}); }

}  // namespace

TEST_CASE("layer: a call is forward(), of any overload") {
  Scaled layer;
  const Scaled& same = layer;
  CHECK(same(row()).value().identical(layer.forward(row(), 2).value()));
  CHECK(layer(row(), 3.0).value().identical(layer.forward(row(), 3).value()));
  layer(row(), "counted");
  CHECK(layer.calls == 1);
  static_assert(!std::invocable<const Scaled&, const Tensor&, const char*>);
  static_assert(!std::invocable<Scaled&, int>);
}

TEST_CASE("layer: one that builds on another is called by its own forward()") {
  const RandomScope random({.seed = 1});
  const Shifted layer(3, 2);
  CHECK(layer(row()).value().identical((static_cast<const Linear&>(layer)(row()) + 1.0).value()));
}

TEST_CASE("layer: hooks see each call, in order, and go when removed") {
  const RandomScope random({.seed = 1});
  Linear layer(3, 2);
  std::string seen;
  const Tensor plain = layer(row());
  const RemovableHandle first =
      layer.register_forward_pre_hook([&](const Module& module, const std::vector<Tensor>& inputs) {
        CHECK(&module == &layer);
        CHECK(inputs.size() == 1);
        seen += "a";
      });
  const RemovableHandle second = layer.register_forward_hook(
      [&](const Module& module, const std::vector<Tensor>& inputs, const Tensor& output) {
        CHECK(&module == &layer);
        CHECK(inputs[0].value().identical(row().value()));
        CHECK(output.value().identical(plain.value()));
        seen += "b";
      });
  layer.register_forward_hook([&](const Module&, const std::vector<Tensor>&, const Tensor&) { seen += "c"; });
  CHECK(layer(row()).value().identical(plain.value()));
  CHECK(seen == "abc");
  layer.forward(row());
  CHECK(seen == "abc");
  first.remove();
  first.remove();
  second.remove();
  layer(row());
  CHECK(seen == "abcc");
}

TEST_CASE("layer: hooks may replace what goes in and what comes out, and gradients follow") {
  const RandomScope random({.seed = 1});
  Linear layer(3, 2);
  const Tensor x = row(), doubled = layer(x * 2.0) * 3.0;
  layer.register_forward_pre_hook(
      [](const Module&, const std::vector<Tensor>& inputs) { return std::vector<Tensor>{inputs[0] * 2.0}; });
  const RemovableHandle handle = layer.register_forward_hook(
      [](const Module&, const std::vector<Tensor>&, const Tensor& y) { return y * 3.0; });
  const Tensor y = layer(x);
  CHECK(y.value().identical(doubled.value()));
  sum(y).backward();
  CHECK(layer.bias.grad().value().identical(Array::full({2}, 3)));
  handle.remove();
  layer.register_forward_pre_hook(
      [](const Module&, const std::vector<Tensor>& inputs) { return std::vector<Tensor>(2, inputs[0]); });
  refuses<ValueError>([&] { layer(x); }, {"Linear", "1 inputs by 2"});
}

TEST_CASE("layer: hooks see ids, further tensors, and the y of a result") {
  const RandomScope random({.seed = 1});
  Embedding embedding(5, 3);
  embedding.register_forward_pre_hook([](const Module&, const std::vector<Tensor>& inputs) {
    CHECK(inputs[0].dtype() == int64);
    return std::vector<Tensor>{Tensor(Array::full(inputs[0].shape(), 4, int64))};
  });
  const Array ids = Array::from<int64_t>({0, 1}, {1, 2});
  CHECK(embedding(ids).value().identical(embedding.forward(Array::full({1, 2}, 4, int64)).value()));

  MultiHeadAttention attention(4, 2);
  size_t inputs_seen = 0;
  attention.register_forward_hook(
      [&](const Module&, const std::vector<Tensor>& inputs, const Tensor&) { inputs_seen = inputs.size(); });
  const Tensor x(random_uniform({2, 3, 4}, -1, 1, random_key(0, 1)));
  attention(x, Mask::causal());
  CHECK(inputs_seen == 1);
  attention(x, x, Mask::causal(), Tensor());
  CHECK(inputs_seen == 3);
  KeyValueCache cache;
  attention(x, cache);
  CHECK(cache.length() == 3);

  GRU gru(4, 2);
  gru.register_forward_hook(
      [](const Module&, const std::vector<Tensor>&, const Tensor& y) { return y * 0.0; });
  CHECK(gru(x).y.value().identical((gru.forward(x).y * 0.0).value()));

  struct Silent : Layer<Silent> {
    int forward(const Tensor&) const { return 7; }
  } silent;
  silent.register_forward_pre_hook([](const Module&, const std::vector<Tensor>&) {});
  CHECK(silent(x) == 7);
  silent.register_forward_hook([](const Module&, const std::vector<Tensor>&, const Tensor&) {});
  refuses<StateError>([&] { silent(x); }, {"Silent", "hook"});
}

TEST_CASE("layer: hooks of a model's blocks see what flows through it, recomputed or not") {
  const RandomScope random({.seed = 1});
  GPT model({.vocab_size = 7, .block_size = 5, .n_layer = 2, .n_head = 2, .n_embd = 4});
  std::vector<std::string> paths;
  for (const EncoderBlock& block : model.blocks)
    const_cast<EncoderBlock&>(block).register_forward_hook(
        [&](const Module& module, const std::vector<Tensor>&, const Tensor& y) {
          CHECK(y.shape() == Shape{1, 3, 4});
          paths.push_back(module.path());
        });
  const Array ids = Array::from<int64_t>({1, 2, 3}, {1, 3});
  model(ids);
  CHECK(paths == std::vector<std::string>{"blocks.0", "blocks.1"});
  model.recompute_blocks = true;
  sum(model(ids)).backward();
  CHECK(paths.size() == 6);
}

}  // namespace weft::test
