// Every model learns one batch by heart, and every optimizer teaches it.
#include <doctest/doctest.h>
#include <weft/layers/models/bert.h>
#include <weft/layers/models/transformer.h>
#include <weft/layers/models/vit.h>
#include <weft/lib/array/random.h>
#include <weft/optim/make_optimizer.h>
#include <weft/optim/train_step.h>

#include <map>

#include "checks.h"

namespace weft::test {

namespace {

Array ids(const Shape& shape, int64_t count, uint64_t seed) {
  return random_uniform(shape, 0, static_cast<double>(count), random_key(seed, 1)).to(int64);
}

struct Case {
  std::string name;
  std::unique_ptr<Model> model;
  Batch batch;
};

std::vector<Case> cases() {
  const int64_t V = 20, T = 10;
  const BERTConfig bert{.vocab_size = V, .block_size = T, .n_layer = 2, .n_head = 2, .n_embd = 32};
  BERTConfig classifier = bert;
  classifier.n_class = 3;
  const TransformerConfig post{.vocab_size = V, .block_size = T, .n_layer = 2, .n_head = 2, .n_embd = 32};
  TransformerConfig pre = post;
  pre.pre_norm = true;
  const ViTConfig vit{.image_size = 8, .n_class = 4, .n_layer = 2, .n_head = 2, .n_embd = 32};
  ViTConfig patches = vit;
  patches.segmentation = true;

  const Array text = ids({4, T}, V, 1), pictures = random_uniform({4, 3, 8, 8}, -1, 1, random_key(4, 1));
  Array masked = ids({4, T}, V, 2);
  for (int64_t i = 0; i < masked.size(); i += 2) masked.mutable_data<int64_t>()[i] = Batch::ignored;
  const std::vector<int64_t> lengths{T, 7, T, 4};
  std::vector<Case> all;
  all.push_back({"bert", std::make_unique<BERT>(bert), {text, masked}});
  all.push_back({"bert of classes", std::make_unique<BERT>(classifier), {text, ids({4}, 3, 3), lengths}});
  all.push_back({"transformer", std::make_unique<Transformer>(post), {text, ids({4, 6}, V, 2), lengths}});
  all.push_back({"pre-norm", std::make_unique<Transformer>(pre), {text, ids({4, 6}, V, 2), lengths}});
  all.push_back({"vit", std::make_unique<ViT>(vit), {pictures, ids({4}, 4, 3)}});
  all.push_back({"vit of patches", std::make_unique<ViT>(patches), {pictures, ids({4, 4}, 4, 3)}});
  return all;
}

double learn(const Model& model, Optimizer& optimizer, const Batch& batch, int64_t steps) {
  for (int64_t step = 0; step < steps; ++step) {
    TrainStep now(optimizer, {.seed = 1, .step = step});
    now.backward(model, batch);
    now.finish({.lr = optimizer.lr(), .max_norm = 1});
  }
  const NoGrad no_grad;
  return model.loss(batch).mean().item();
}

}  // namespace

TEST_CASE("models: each drives one batch to near no loss") {
  const RandomScope random({.seed = 1});
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const double first = c.model->loss(c.batch).mean().item();
    const auto optimizer = make_optimizer("adamw", parameter_groups(c.model->parameters()), {{"lr", 5e-3}});
    const double last = learn(*c.model, *optimizer, c.batch, 60);
    CAPTURE(last);
    CHECK(first > 0.5);
    CHECK(last < 0.03);
  }
}

TEST_CASE("models: each optimizer teaches a Transformer") {
  const std::map<std::string, double> rates = {{"adamw", 5e-3}, {"adam", 5e-3},      {"sgd", 0.5},
                                               {"lion", 1e-3},  {"adafactor", 0.05}, {"muon", 2e-2}};
  for (const std::string& name : optimizers().names()) {
    CAPTURE(name);
    const RandomScope random({.seed = 1});
    const std::vector<Case> all = cases();
    const Model& model = *all[2].model;
    const Batch& batch = all[2].batch;
    SettingValues options{{"lr", rates.at(name)}};
    if (name == "sgd") options.set("momentum", 0.9);
    const auto optimizer = make_optimizer(name, parameter_groups(model.parameters()), options);
    const double first = model.loss(batch).mean().item();
    const double last = learn(model, *optimizer, batch, 40);
    CAPTURE(last);
    CHECK(last < 0.5 * first);
  }
}

}  // namespace weft::test
