#include <doctest/doctest.h>
#include <weft/layers/models/llama.h>
#include <weft/lib/array/random.h>

#include "decoding.h"
#include "model_reference.h"

namespace weft::test {

namespace {

const LlamaConfig small_llama{
    .vocab_size = 29, .block_size = 40, .n_layer = 2, .n_head = 4, .n_kv_head = 2, .n_embd = 24};

LlamaConfig changed(const std::function<void(LlamaConfig&)>& change) {
  LlamaConfig config = small_llama;
  change(config);
  return config;
}

}  // namespace

TEST_CASE("llama: logits, loss and every gradient equal those of transformers, with padding and windows") {
  const StateDict file = model_file("llama.h5");
  for (const std::string& name : file.keys()) {
    CAPTURE(name);
    check_model<Llama, LlamaConfig>(file.dict(name));
  }
  CHECK(file.keys().size() == 4);
}

TEST_CASE("llama: rows of different lengths have the bits that each has alone and in the full pass") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  check_decoding(Llama(small_llama), 29, 40);
  check_decoding(Llama(changed([](LlamaConfig& c) { c.window = 3, c.tie_embeddings = true; })), 29, 40);
  check_decoding(Llama(changed([](LlamaConfig& c) { c.n_embd = 96, c.n_kv_head = 1, c.window = 9; })), 29,
                 40);
}

TEST_CASE("llama: gradients of micro-batches are those of the whole batch, bit for bit, dropout on") {
  const RandomScope random({.seed = 1});
  Llama model(changed([](LlamaConfig& c) { c.dropout = 0.1; }));
  check_micro_batches(
      model, {.inputs = some_ids({4, 9}, 29), .targets = some_ids({4, 9}, 29), .lengths = {9, 5, 1, 7}});
}

TEST_CASE("llama: first values, and how many there are") {
  const RandomScope random({.seed = 1});
  const Llama model({.vocab_size = 65, .n_layer = 2, .n_head = 4, .n_kv_head = 2, .n_embd = 128});
  const int64_t C = 128, F = 344, block = 2 * C * C + 2 * C * C / 2 + 3 * C * F + 2 * C;
  CHECK(model.parameter_count() == 2 * 65 * C + 2 * block + C);
  for (const NamedTensor& p : model.parameters()) {
    CAPTURE(p.name);
    const bool last = p.name.ends_with("attention.output.weight") || p.name.ends_with("down.weight");
    if (p.tensor.rank() == 2)
      CHECK(std::sqrt(var(p.tensor).item()) == doctest::Approx(last ? 0.01 : 0.02).scale(0).epsilon(0.05));
  }
}

TEST_CASE("llama: configurations survive their state, and those out of range are refused by name") {
  const LlamaConfig config =
      changed([](LlamaConfig& c) { c.window = 7, c.rope_base = 5e5, c.head_width = 10; });
  CHECK(identical(LlamaConfig::from_state(config.state()).state(), config.state()));
  const auto with = [](const std::function<void(LlamaConfig&)>& change) {
    return [=] { Llama model(changed(change)); };
  };
  refuses<ValueError>(with([](LlamaConfig& c) { c.n_head = 5; }), {"Llama", "n_embd = 24", "n_head = 5"});
  refuses<ValueError>(with([](LlamaConfig& c) { c.n_kv_head = 3; }), {"n_head = 4", "n_kv_head = 3"});
  refuses<ValueError>(with([](LlamaConfig& c) { c.head_width = 5; }), {"5 wide", "head_width = 5"});
  refuses<ValueError>(with([](LlamaConfig& c) { c.n_embd = 12; }), {"3 wide", "n_embd = 12"});
  refuses<ValueError>(with([](LlamaConfig& c) { c.window = -1; }), {"window = -1"});
  refuses<ValueError>(with([](LlamaConfig& c) { c.rope_base = 0; }), {"rope_base = 0"});
  refuses<ValueError>(with([](LlamaConfig& c) { c.vocab_size = 0; }), {"vocab_size = 0"});
}

TEST_CASE("llama: ids that do not fit") {
  const RandomScope random({.seed = 1});
  const Llama model(small_llama);
  refuses<ShapeError>([&] { model.forward(some_ids({5}, 29)); }, {"Llama", "(5,)", "(B, T)"});
  refuses<ShapeError>([&] { model.forward(some_ids({1, 41}, 29)); }, {"Llama", "(1, 41)", "40"});
  refuses<ValueError>([&] { model.forward(Array::full({1, 2}, 29, int64)); }, {"29"});
  refuses<ValueError>(
      [&] {
        static_cast<const GenerativeModel&>(model).start(Batch{some_ids({1, 4}, 29), {}});
      },
      {"llama", "no encoder"});
}

TEST_CASE("llama: documents that share rows have the bits that each has alone, windows and padding too") {
  const RandomScope random({.seed = 1});
  Llama plain(small_llama), windowed(changed([](LlamaConfig&c) { c.window = 3, c.tie_embeddings = true; }));
  check_documents_of(plain, 29);
  check_documents_of(windowed, 29);
}

TEST_CASE("llama: documents and dropout: gradients of micro-batches are those of the whole batch") {
  const RandomScope random({.seed = 1});
  Llama model(changed([](LlamaConfig& c) { c.dropout = 0.1; }));
  check_micro_batches(model,
                      {some_ids({4, 9}, 29), some_ids({4, 9}, 29), {}, {{0, 3}, {0}, {0, 1, 8}, {0, 5}}});
}

}  // namespace weft::test
