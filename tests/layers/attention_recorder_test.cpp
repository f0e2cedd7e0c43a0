#include <doctest/doctest.h>
#include <weft/autograd/ops.h>
#include <weft/layers/attention_recorder.h>
#include <weft/layers/models/gpt.h>
#include <weft/lib/array/random.h>

#include <thread>

#include "checks.h"

namespace weft::test {

namespace {

Tensor uniform(const Shape& shape, uint64_t which) {
  return Tensor(random_uniform(shape, -2, 2, random_key(which, 0)));
}

/// The sum of each row, which is 1, or 0 where `nothing` says so (by query).
void check_rows(const Array& weights, const std::vector<bool>& nothing) {
  const int64_t T = weights.dim(2), S = weights.dim(3);
  const auto values = weights.values<float>();
  for (size_t row = 0; row * static_cast<size_t>(S) < values.size(); ++row) {
    double sum = 0;
    for (const float w : values.subspan(row * static_cast<size_t>(S), static_cast<size_t>(S))) {
      CHECK(w >= 0);
      sum += static_cast<double>(w);
    }
    if (nothing[row % static_cast<size_t>(T)])
      CHECK(sum == 0);
    else
      CHECK(sum == doctest::Approx(1).epsilon(1e-6));
  }
}

}  // namespace

TEST_CASE("attention recorder: the weights of a layer, over itself and over another sequence") {
  const RandomScope random({.seed = 3});
  const MultiHeadAttention layer(8, 2, {.kv_heads = 1});
  const Tensor x = uniform({2, 5, 8}, 1), context = uniform({2, 4, 8}, 2);
  const Mask mask = Mask::causal(), short_of = Mask::lengths({4, 2});

  AttentionRecorder recorder;
  layer(x, mask);
  layer.forward(x, context, short_of);
  REQUIRE(recorder.records().size() == 2);
  const AttentionRecord &own = recorder.records()[0], &cross = recorder.records()[1];
  CHECK_FALSE(own.cross);
  CHECK(own.weights.shape() == Shape{2, 2, 5, 5});
  CHECK(own.weights.identical(layer.weights(x, x, mask)));
  check_rows(own.weights, std::vector<bool>(5, false));
  CHECK(cross.cross);
  CHECK(cross.weights.shape() == Shape{2, 2, 5, 4});
  CHECK(cross.weights.identical(layer.weights(x, context, short_of)));
  check_rows(cross.weights, std::vector<bool>(5, false));
  recorder.clear();
  CHECK(recorder.records().empty());
}

TEST_CASE("attention recorder: what was recorded is what the values were weighed with") {
  const RandomScope random({.seed = 4});
  const MultiHeadAttention layer(8, 2, {.kv_heads = 1, .rotary = 10000.0, .alibi = true, .window = 3});
  const Tensor x = uniform({2, 6, 8}, 1), bias = uniform({1, 2, 6, 6}, 2);
  const AttentionRecorder recorder;
  const Tensor y = layer.forward(x, x, Mask::causal(), bias);
  const Tensor weights(recorder.records().at(0).weights);
  const Tensor value = reshape(layer.value(x), {2, 1, 6, 4});  // one head for both
  const Tensor heads = matmul(weights, expand(value, {2, 2, 6, 4}), false, false);
  const Tensor again = layer.output(reshape(permute(heads, {0, 2, 1, 3}), {2, 6, 8}));
  CHECK(difference(again.value(), y.value(), 1e-6) == "");
}

TEST_CASE("attention recorder: who may attend to nothing has zeros") {
  const RandomScope random({.seed = 3});
  const MultiHeadAttention layer(8, 2);
  const std::vector<bool> nothing{false, true, false};
  const Mask mask =
      Mask::allowed(Array::from({1.F, 1.F, 0.F, 0.F, 0.F, 0.F, 0.F, 1.F, 1.F}, {3, 3}).to(boolean));
  const AttentionRecorder recorder;
  layer(uniform({1, 3, 8}, 1), mask);
  check_rows(recorder.records().at(0).weights, nothing);
}

TEST_CASE("attention recorder: a model's layers by path, and not a bit of the model changes") {
  const RandomScope random({.seed = 7});
  const GPT model(
      {.vocab_size = 11, .block_size = 6, .n_layer = 3, .n_head = 2, .n_embd = 8, .dropout = 0.3});
  const Array ids = Array::from<int64_t>({1, 5, 10, 0, 3, 3}, {1, 6});
  // In training, so that the numbers of dropout would move if the recorder drew any.
  const auto logits = [&] {
    const RandomScope step({.seed = 8});
    return model.forward(ids).value();
  };
  const Array before = logits();
  {
    const AttentionRecorder outer;
    const AttentionRecorder recorder;
    CHECK(logits().identical(before));
    REQUIRE(recorder.records().size() == 3);
    for (size_t layer = 0; layer < 3; ++layer) {
      CHECK(recorder.records()[layer].path == str("blocks.", layer, ".attention"));
      check_rows(recorder.records()[layer].weights, std::vector<bool>(6, false));
    }
    CHECK(outer.records().empty());
  }
  CHECK(AttentionRecorder::current() == nullptr);
  CHECK(logits().identical(before));
}

TEST_CASE("attention recorder: of documents that share a row, what each looks at in itself") {
  const RandomScope random({.seed = 7});
  const MultiHeadAttention layer(8, 2, {.rotary = 100.0});
  const Tensor x = uniform({1, 5, 8}, 1);
  const AttentionRecorder recorder;
  layer(x, Mask::causal() & Mask::documents({{0, 2}}));
  layer(slice(x, 1, 2, 5), Mask::causal());
  const Tensor packed(recorder.records().at(0).weights), alone(recorder.records().at(1).weights);
  CHECK(difference(slice(slice(packed, 2, 2, 5), 3, 2, 5).value(), alone.value(), 1e-6) == "");
  CHECK(max(slice(slice(packed, 2, 2, 5), 3, 0, 2)).item() == 0);
  CHECK(max(slice(slice(packed, 2, 0, 2), 3, 2, 5)).item() == 0);
}

TEST_CASE("attention recorder: of its own thread alone") {
  const RandomScope random({.seed = 7});
  const MultiHeadAttention layer(8, 2);
  const AttentionRecorder recorder;
  std::thread([&] {
    const NoGrad no_grad;
    layer(uniform({1, 3, 8}, 1));
  }).join();
  CHECK(recorder.records().empty());
}

}  // namespace weft::test
