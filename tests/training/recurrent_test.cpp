// Recurrent models and optimizers together: they learn.
#include <doctest/doctest.h>
#include <weft/layers/models/recurrent_lm.h>
#include <weft/layers/models/recurrent_translator.h>
#include <weft/lib/array/random.h>
#include <weft/optim/adam.h>
#include <weft/optim/train_step.h>

namespace weft::test {

namespace {

/// The loss on one batch after some steps on it alone.
double loss_after(int64_t steps, Model& model, const Batch& batch) {
  AdamW optimizer(parameter_groups(model.parameters()), {.beta2 = 0.99});
  for (int64_t step = 0; step < steps; ++step) {
    TrainStep now(optimizer, {.seed = 1, .step = step});
    now.backward(model, batch);
    now.finish({.lr = 0.02, .max_norm = 1});
  }
  const NoGrad no_grad;
  return model.loss(batch).mean().item();
}

Array some_ids(const Shape& shape, uint64_t stream) {
  return random_uniform(shape, 4, 20, random_key(7, stream)).to(int64);
}

}  // namespace

TEST_CASE("recurrent models learn one batch by heart") {
  const Batch batch{some_ids({4, 10}, 1), some_ids({4, 10}, 2)};
  for (const RecurrentCell cell : {RecurrentCell::lstm, RecurrentCell::gru})
    for (const bool tied : {true, false}) {
      const RandomScope random({.seed = 1});
      RecurrentLM model({.cell = cell, .vocab_size = 20, .n_layer = 2, .n_embd = 32, .tie_embeddings = tied});
      CHECK(loss_after(120, model, batch) < 0.05);
    }
}

TEST_CASE("recurrent translator: learns pairs by heart, the lengths of what it reads being different") {
  Array targets = some_ids({8, 6}, 2);
  for (int64_t t = 3; t < 6; ++t) targets.mutable_data<int64_t>()[6 + t] = Batch::ignored;
  const RandomScope random({.seed = 1});
  RecurrentTranslator model({.vocab_size = 20, .n_layer = 1, .n_embd = 32, .start_id = 1});
  CHECK(loss_after(120, model, {some_ids({8, 7}, 1), targets, {7, 3, 5, 7, 1, 2, 6, 4}}) < 0.05);
}

}  // namespace weft::test
