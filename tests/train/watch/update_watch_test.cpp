#include <doctest/doctest.h>
#include <weft/autograd/ops.h>
#include <weft/layers/layer.h>
#include <weft/layers/linear.h>
#include <weft/layers/models/gpt.h>
#include <weft/layers/output_observer.h>
#include <weft/optim/sgd.h>
#include <weft/optim/train_step.h>
#include <weft/train/watch/update_watch.h>

#include <algorithm>
#include <string>
#include <vector>

#include "checks.h"

namespace weft::test {
namespace {

constexpr GPTConfig config{
    .vocab_size = 7, .block_size = 6, .n_layer = 2, .n_head = 2, .n_embd = 8, .dropout = 0.1};

Batch batch_of(int64_t first, int64_t rows) {
  Batch batch{Array({rows, 6}, int64), Array({rows, 6}, int64)};
  for (int64_t i = 0; i < rows * 6; ++i) {
    batch.inputs.mutable_data<int64_t>()[i] = (first * 6 + i) * (first * 6 + i) % 7;
    batch.targets.mutable_data<int64_t>()[i] = (i + first * 6 + 1) * (i + first * 6 + 1) % 7;
  }
  return batch;
}

struct Training {
  const RandomScope random{{.seed = 5}};
  GPT model{config};
  SGD optimizer{model.parameters(), {.lr = 0.1}};

  /// An update of micro-batches of so many rows.
  UpdateStatistics watched(int64_t step, const std::vector<int64_t>& cuts) {
    UpdateWatch watch(model, step);
    TrainStep update(optimizer, {.seed = 5, .step = step});
    int64_t first = 0;
    for (const int64_t rows : cuts) {
      const Batch batch = batch_of(first, rows);
      update.backward({.count = rows, .offset = first},
                      [&] { return watch.loss([&] { return model.loss(batch); }); });
      first += rows;
    }
    update.finish(
        {.lr = 0.1, .max_norm = 0.01, .on_gradients = [&](double scale) { watch.gradients(scale); }});
    return watch.finish();
  }
  void plain(int64_t step, int64_t rows) {
    TrainStep update(optimizer, {.seed = 5, .step = step});
    update.backward(model, batch_of(0, rows));
    update.finish({.lr = 0.1, .max_norm = 0.01});
  }
};

std::vector<std::string> paths(const auto& by_path) {
  std::vector<std::string> all;
  for (const auto& [path, found] : by_path) all.push_back(path);
  return all;
}

const auto& at(const auto& by_path, const std::string& path) {
  const auto found = std::ranges::find(by_path, path, [](const auto& one) { return one.first; });
  REQUIRE(found != by_path.end());
  return found->second;
}

/// What comes out is a number.
struct Odd : Layer<Odd> {
  int forward(const Tensor&) const { return 3; }
};

}  // namespace

TEST_CASE("update watch: weights before the update, its gradients, and how far it went") {
  Training training;
  const std::vector<NamedTensor> parameters = training.model.parameters();
  std::vector<Array> before, gradients;
  for (const NamedTensor& p : parameters) before.push_back(p.tensor.value().copy());
  {
    // The gradient as it is without anybody looking.
    Training other;
    const RandomScope random({.seed = 5, .step = 4});
    other.model.loss(batch_of(0, 3)).sum.backward();
    for (const NamedTensor& p : other.model.parameters()) gradients.push_back(p.tensor.grad().value().copy());
  }
  const UpdateStatistics found = training.watched(4, {3});
  CHECK(found.step == 4);
  REQUIRE(found.weights.size() == parameters.size());
  REQUIRE(found.gradients.size() == parameters.size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto& [name, tensor] = parameters[i];
    CAPTURE(name);
    CHECK(found.weights[i].first == name);
    CHECK(found.weights[i].second == statistics_of(before[i], true));
    CHECK(found.gradients[i].second == statistics_of(gradients[i], true).scaled(1.0 / 18));
    if (tensor.value().identical(before[i])) continue;
    CHECK(at(found.ratios, name) == (found.weights[i].second.norm > 0
                                         ? distance(tensor.value(), before[i]) / found.weights[i].second.norm
                                         : 0));
  }
  CHECK(found.ratios.size() > parameters.size() / 2);
}

TEST_CASE("update watch: what comes out of the layers, once, whatever backward computes anew") {
  Training training;
  std::vector<Array> seen;
  training.model.at("blocks.1").register_forward_hook(OutputObserver([&](const Tensor& y) {
    seen.push_back(y.value().copy());
  }));
  const UpdateStatistics found = training.watched(0, {2, 3});
  REQUIRE(seen.size() == 2);
  CHECK(at(found.activations, "blocks.1") == statistics_of(seen[0]));  // of the first micro-batch
  const std::vector<std::string> names = paths(found.activations);
  for (const char* name : {"token_embedding", "blocks.0", "blocks.0.attention", "blocks.1.feed_forward"})
    CHECK_MESSAGE(std::ranges::count(names, name) == 1, name);
  for (const auto& [path, s] : found.activations) CHECK_MESSAGE(s.count > 0, path);

  Training again;
  again.model.recompute_blocks = true;
  const UpdateStatistics recomputed = again.watched(0, {2, 3});
  CHECK(recomputed.line() == found.line());
}

TEST_CASE("update watch: it changes no bit") {
  Training watched, plain;
  for (int64_t step = 0; step < 3; ++step) {
    watched.watched(step, {4});
    plain.plain(step, 4);
  }
  const std::vector<NamedTensor> a = watched.model.parameters(), b = plain.model.parameters();
  for (size_t i = 0; i < a.size(); ++i)
    CHECK_MESSAGE(a[i].tensor.value().identical(b[i].tensor.value()), a[i].name);
}

TEST_CASE("update watch: hooks are gone with it, also after an error") {
  Training training;
  int calls = 0;
  {
    UpdateWatch watch(training.model, 0);
    CHECK_THROWS_AS(watch.loss([&]() -> Loss { fail<ValueError>("no"); }), ValueError);
  }
  training.model.at("blocks.0").register_forward_hook(OutputObserver([&](const Tensor&) { ++calls; }));
  training.plain(0, 2);
  CHECK(calls == 1);
}

TEST_CASE("update watch: layers that give no tensor, and parameters without a gradient, are passed over") {
  struct Mixed : Layer<Mixed> {
    Odd& odd = child<Odd>("odd");
    Linear &used = child<Linear>("used", 2, 3), &idle = child<Linear>("idle", 2, 3);
    Tensor forward(const Tensor& x) const { return used(x) * static_cast<double>(odd(x)); }
  };
  const RandomScope random({.seed = 1});
  Mixed model;
  SGD optimizer(model.parameters(), {.lr = 0.1});
  UpdateWatch watch(model, 0);
  TrainStep step(optimizer);
  step.backward(1, [&] {
    return watch.loss([&] {
      return Loss{
          .sum = sum(model(Tensor(Array::ones({1, 2})))), .count = 1, .rows = Array::zeros({1}, float64)};
    });
  });
  step.finish({.lr = 0.1, .on_gradients = [&](double scale) { watch.gradients(scale); }});
  const UpdateStatistics found = watch.finish();
  CHECK(paths(found.activations) == std::vector<std::string>{"used"});
  CHECK(paths(found.gradients) == std::vector<std::string>{"used.weight", "used.bias"});
  CHECK(paths(found.weights).size() == 4);
  CHECK(at(found.ratios, "used.bias") >= 0);
  // Any other hook is refused there.
  model.odd.register_forward_hook([](const Module&, const std::vector<Tensor>&, const Tensor&) {});
  CHECK_THROWS_AS(model(Tensor(Array::ones({1, 2}))), StateError);
}

}  // namespace weft::test
