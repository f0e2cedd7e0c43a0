#include <doctest/doctest.h>
#include <weft/layers/models/t5.h>
#include <weft/lib/array/random.h>

#include "decoding.h"
#include "model_reference.h"

namespace weft::test {

namespace {

const T5Config small_t5{.vocab_size = 29,
                        .block_size = 40,
                        .n_layer = 2,
                        .n_head = 2,
                        .n_embd = 16,
                        .n_bucket = 8,
                        .max_distance = 10};

T5Config changed(const std::function<void(T5Config&)>& change) {
  T5Config config = small_t5;
  change(config);
  return config;
}

}  // namespace

TEST_CASE("t5: logits, loss and every gradient equal those of transformers, with padding") {
  const StateDict file = model_file("t5.h5");
  for (const char* name : {"first version", "version 1.1"}) {
    CAPTURE(std::string(name));
    check_model<T5, T5Config>(file.dict(name));
  }
}

TEST_CASE("t5: rows of different lengths have the bits that each has alone and in the full pass") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  check_answering(T5(small_t5), 29);
  check_answering(T5(changed([](T5Config& c) {
                    c.n_embd = 72, c.head_width = 20, c.n_decoder_layer = 1, c.gated = false;
                    c.tie_embeddings = c.scale_output = false;
                  })),
                  29);
}

TEST_CASE("t5: gradients of micro-batches are those of the whole batch, bit for bit, dropout on") {
  const RandomScope random({.seed = 1});
  T5 model(changed([](T5Config& c) { c.dropout = 0.1; }));
  check_micro_batches(
      model, {.inputs = some_ids({4, 9}, 29), .targets = some_ids({4, 6}, 29), .lengths = {9, 5, 1, 7}});
}

TEST_CASE("t5: what stands in the padding changes no bit of what counts") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  const T5 model(small_t5);
  const Array ids = some_ids({2, 12}, 29), targets = some_ids({2, 5}, 29);
  const Tensor padded = model.logits({.inputs = ids, .targets = targets, .lengths = {12, 7}});
  const auto row = [](const Array& x) { return slice(Tensor(x), 0, 1, 2); };
  const Tensor alone = model.logits({slice(row(ids), 1, 0, 7).value(), row(targets).value()});
  CHECK(alone.value().identical(row(padded.value()).value()));
}

TEST_CASE("t5: first values are transformers'") {
  const RandomScope random({.seed = 1});
  const T5 model({.vocab_size = 100, .n_layer = 1, .n_head = 4, .n_embd = 64, .head_width = 32});
  for (const NamedTensor& p : model.parameters()) {
    CAPTURE(p.name);
    double expected = 1 / 8.0;
    if (p.tensor.rank() == 1) continue;
    if (p.name == "token_embedding.weight") expected = 1;
    if (p.name.ends_with("query.weight")) expected = 1 / std::sqrt(64.0 * 32);
    if (p.name.ends_with("output.weight")) expected = 1 / std::sqrt(128.0);
    if (p.name.ends_with("down.weight")) expected = 1 / std::sqrt(176.0);
    CHECK(std::sqrt(var(p.tensor).item()) == doctest::Approx(expected).scale(0).epsilon(0.15));
  }
}

TEST_CASE("t5: configurations survive their state, and those out of range are refused by name") {
  const T5Config config = changed([](T5Config& c) { c.head_width = 7, c.gated = false, c.start_id = 3; });
  CHECK(identical(T5Config::from_state(config.state()).state(), config.state()));
  const auto with = [](const std::function<void(T5Config&)>& change) {
    return [=] { T5 model(changed(change)); };
  };
  refuses<ValueError>(with([](T5Config& c) { c.n_head = 3; }), {"T5", "n_embd = 16", "n_head = 3"});
  refuses<ValueError>(with([](T5Config& c) { c.n_bucket = 3; }), {"n_bucket = 3"});
  refuses<ValueError>(with([](T5Config& c) { c.max_distance = 4; }), {"max_distance = 4", "n_bucket = 8"});
  refuses<ValueError>(with([](T5Config& c) { c.start_id = 29; }), {"start_id = 29", "29"});
}

TEST_CASE("t5: batches that do not fit") {
  const RandomScope random({.seed = 1});
  const T5 model(small_t5);
  refuses<ShapeError>(
      [&] {
        model.logits({some_ids({2, 41}, 29), some_ids({2, 4}, 29)});
      },
      {"T5", "41", "40"});
  refuses<ShapeError>([&] { model.logits({some_ids({2, 4}, 29), {}}); }, {"T5", "targets", "missing"});
  refuses<ValueError>([&] { static_cast<const GenerativeModel&>(model).start(2); }, {"t5", "start()"});
  KeyValueState empty(1, 2);
  refuses<ValueError>([&] { model.next(some_ids({1, 1}, 29), {}, empty); }, {"T5", "no sequence"});
}

}  // namespace weft::test
