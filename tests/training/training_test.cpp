// Layers and optimizers together: what no room sees alone.
#include <doctest/doctest.h>
#include <weft/layers/models/gpt.h>
#include <weft/lib/files/hdf5_file.h>
#include <weft/lib/machine/memory.h>
#include <weft/lib/machine/parallel.h>
#include <weft/optim/adam.h>
#include <weft/optim/schedule.h>
#include <weft/optim/train_step.h>

#include "checks.h"

namespace weft::test {

namespace {

const StateDict& reference() {
  static const StateDict file = read_hdf5(WEFT_SOURCE_DIR "/tests/reference/training.h5");
  return file;
}

Array part(const Array& x, int64_t begin, int64_t end) { return slice(Tensor(x), 0, begin, end).value(); }

struct Record {
  std::vector<double> losses, norms;
  StateDict weights, optimizer;
};

/// The ten steps of tests/reference/training.py, in micro-batches.
Record train(int64_t micro, double dropout = 0, bool recompute_blocks = false) {
  GPTConfig config = GPTConfig::from_state(reference().dict("config"));
  config.dropout = dropout;
  const NoInit no_init;
  GPT model(config);
  model.load_state_dict(reference().dict("start"));
  model.recompute_blocks = recompute_blocks;
  AdamW optimizer(parameter_groups(model.parameters()), {.beta2 = 0.99, .weight_decay = 0.1});
  const Array &ids = reference().array("ids"), &targets = reference().array("targets");
  Record record;
  for (int64_t step = 0; step < ids.dim(0); ++step) {
    const Array x = part(ids, step, step + 1).reshape({ids.dim(1), -1}),
                y = part(targets, step, step + 1).reshape({ids.dim(1), -1});
    TrainStep now(optimizer, {.seed = 1, .step = step});
    for (int64_t begin = 0; begin < x.dim(0); begin += micro)
      now.backward(model, {part(x, begin, begin + micro), part(y, begin, begin + micro)});
    record.losses.push_back(now.loss());
    const double lr = schedule::cosine(step, {.lr = 1e-2, .warmup = 3, .steps = 8, .min_lr = 1e-3});
    record.norms.push_back(now.finish({.lr = lr, .max_norm = 1}));
  }
  record.weights = model.state_dict();
  record.optimizer = optimizer.state_dict();
  return record;
}

bool same(const Record& a, const Record& b) {
  return a.losses == b.losses && a.norms == b.norms && identical(a.weights, b.weights) &&
         identical(a.optimizer, b.optimizer);
}

}  // namespace

TEST_CASE("training: ten steps have PyTorch's losses, norms and weights") {
  const Record record = train(4);
  const auto losses = reference().array("losses").values<double>(),
             norms = reference().array("norms").values<double>();
  for (size_t step = 0; step < 10; ++step) {
    CAPTURE(step);
    CHECK(std::abs(record.losses[step] - losses[step]) < 1e-5);
    CHECK(record.norms[step] == doctest::Approx(norms[step]).epsilon(1e-4));
  }
  for (const std::string& name : record.weights.keys()) {
    CAPTURE(name);
    if (name.ends_with("key.bias")) continue;  // its gradient is rounding, which Adam makes large
    CHECK(difference(record.weights.array(name), reference().dict("end").array(name), 2e-4) == "");
  }
}

TEST_CASE("training: micro-batches of any size give the same bits, with dropout too") {
  for (const double dropout : {0.0, 0.1}) {
    const Record whole = train(4, dropout);
    CHECK(same(train(2, dropout), whole));
    CHECK(same(train(1, dropout), whole));
  }
}

TEST_CASE("training: any number of threads gives the same bits") {
  const int before = num_threads();
  const Record some = train(4, 0.1);
  for (const int threads : {1, 2, 3, 4}) {
    set_num_threads(threads);
    CHECK(same(train(4, 0.1), some));
  }
  set_num_threads(before);
}

TEST_CASE("training: recomputed blocks give the same bits, in micro-batches too, for less memory") {
  for (const double dropout : {0.0, 0.1}) {
    const Record kept = train(4, dropout);
    for (const int64_t micro : {4, 2, 1}) CHECK(same(train(micro, dropout, true), kept));
  }
  const RandomScope random({.seed = 1});
  GPT model({.vocab_size = 29, .block_size = 64, .n_layer = 12, .n_head = 2, .n_embd = 32, .dropout = 0.1});
  AdamW optimizer(model.parameters());
  const Array ids = random_uniform({8, 64}, 0, 29, random_key(1, 1)).to(int64);
  const auto peak_of_step = [&] {
    reset_peak();
    TrainStep step(optimizer);
    step.backward(model, {ids, ids});
    step.finish({.lr = 1e-3, .max_norm = 1});
    return memory_stats().peak;
  };
  peak_of_step();  // makes gradients and the optimizer's state
  const size_t kept = peak_of_step();
  model.recompute_blocks = true;
  const size_t again = peak_of_step();
  MESSAGE("12 layers: ", kept / 1024, " KB kept, ", again / 1024, " KB recomputed");
  CHECK(again < kept / 2);
}

TEST_CASE("training: one batch is driven to a loss near zero") {
  const RandomScope init({.seed = 1});
  GPT model({.vocab_size = 29, .block_size = 12, .n_layer = 2, .n_head = 2, .n_embd = 16});
  AdamW optimizer(model.parameters());
  // Rows that begin differently: nothing in them is left to chance.
  std::vector<int64_t> tokens;
  for (int64_t i = 0; i < 48; ++i) tokens.push_back((7 * (i / 12) + 5 * i * i) % 29);
  const Array ids = Array::from(tokens, {4, 12});
  const Array targets = part(reference().array("targets"), 0, 1).reshape({4, 12});
  double loss = 0;
  for (int step = 0; step < 200; ++step) {
    TrainStep now(optimizer);
    now.backward(model, {ids, targets});
    loss = now.loss();
    now.finish({.lr = 1e-2, .max_norm = 1});
  }
  CHECK(loss < 0.01);
}

}  // namespace weft::test
