#include <doctest/doctest.h>
#include <weft/layers/models/recurrent_lm.h>
#include <weft/lib/array/random.h>

#include <cmath>

#include "decoding.h"
#include "model_reference.h"

namespace weft::test {

namespace {

RecurrentLMConfig small_lm(RecurrentCell cell, double dropout = 0.0) {
  return {.cell = cell, .vocab_size = 29, .n_layer = 2, .n_embd = 20, .dropout = dropout};
}

constexpr RecurrentCell cells[] = {RecurrentCell::lstm, RecurrentCell::gru};

}  // namespace

TEST_CASE("recurrent language model: logits, loss and every gradient equal PyTorch's") {
  const StateDict file = model_file("recurrent.h5");
  for (const char* name : {"lstm", "gru", "lstm untied", "gru untied"}) {
    CAPTURE(std::string(name));
    check_model<RecurrentLM, RecurrentLMConfig>(file.dict(name));
  }
}

TEST_CASE("recurrent language model: next() has the bits of the full pass, rows of any lengths") {
  for (const RecurrentCell cell : cells) {
    const RandomScope random({.seed = 1});
    RecurrentLM model(small_lm(cell, 0.2));
    model.eval();
    CHECK(model.context() == INT64_MAX);
    check_decoding(model, 29, 40);
  }
}

TEST_CASE("recurrent language model: gradients of micro-batches are those of the whole batch, bit for bit") {
  for (const RecurrentCell cell : cells) {
    const RandomScope random({.seed = 1});
    RecurrentLM model(small_lm(cell, 0.1));
    check_micro_batches(model, {some_ids({4, 9}, 29), some_ids({4, 9}, 29)});
  }
}

TEST_CASE("recurrent language model: padding changes no bit of what counts") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  const RecurrentLM model(small_lm(RecurrentCell::gru));
  const Array ids = some_ids({2, 12}, 29);
  const Tensor padded = model.logits({.inputs = ids, .targets = {}, .lengths = {12, 7}});
  const Array alone = slice(slice(Tensor(ids), 0, 1, 2), 1, 0, 7).value();
  CHECK(model.logits({alone, {}}).value().identical(slice(slice(padded, 0, 1, 2), 1, 0, 7).value()));
}

TEST_CASE("recurrent language model: names, and how many parameters there are") {
  const RandomScope random({.seed = 1});
  const RecurrentLM lstm(small_lm(RecurrentCell::lstm)), gru(small_lm(RecurrentCell::gru));
  CHECK(lstm.kind() == "lstm");
  CHECK(gru.kind() == "gru");
  CHECK(lstm.parameter_count() == 29 * 20 + 2 * (4 * 20 * 40 + 2 * 4 * 20));
  CHECK(gru.parameter_count() == 29 * 20 + 2 * (3 * 20 * 40 + 2 * 3 * 20));
  CHECK(lstm.parameters()[1].name == "recurrent.weight_ih_l0");
  CHECK(max(abs(lstm.token_embedding.weight)).item() <= 0.1);
  RecurrentLMConfig untied = small_lm(RecurrentCell::lstm);
  untied.tie_embeddings = false;
  CHECK(RecurrentLM(untied).parameters().back().name == "head.weight");
}

TEST_CASE(
    "recurrent language model: configurations survive their state, and those out of range are refused") {
  const RecurrentLMConfig odd{.cell = RecurrentCell::gru,
                              .vocab_size = 31,
                              .n_layer = 3,
                              .n_embd = 7,
                              .dropout = 0.25,
                              .tie_embeddings = false};
  CHECK(identical(RecurrentLMConfig::from_state(odd.state()).state(), odd.state()));
  refuses<StateError>([] { RecurrentLMConfig::from_state(StateDict()); }, {"vocab_size"});
  StateDict unknown = odd.state();
  unknown.set("cell", "rnn");
  refuses<StateError>([&] { RecurrentLMConfig::from_state(unknown); }, {"'cell' must be lstm or gru"});
  const auto with = [](auto change) {
    RecurrentLMConfig config = small_lm(RecurrentCell::lstm);
    change(config);
    return [config] { RecurrentLM model(config); };
  };
  refuses<ValueError>(with([](auto& c) { c.vocab_size = 0; }), {"RecurrentLM", "vocab_size = 0"});
  refuses<ValueError>(with([](auto& c) { c.n_layer = 0; }), {"RecurrentLM", "n_layer = 0"});
  refuses<ValueError>(with([](auto& c) { c.n_embd = -1; }), {"RecurrentLM", "n_embd = -1"});
  refuses<ValueError>(with([](auto& c) { c.dropout = NAN; }), {"RecurrentLM", "dropout = nan"});
}

TEST_CASE("recurrent language model: inputs that do not fit") {
  const RandomScope random({.seed = 1});
  const RecurrentLM model(small_lm(RecurrentCell::lstm));
  RecurrentLMConfig deeper = small_lm(RecurrentCell::lstm);
  deeper.n_layer = 3;
  const RecurrentLM other(deeper);
  refuses<ShapeError>([&] { model.logits({some_ids({5}, 29), {}}); }, {"lstm", "(5,)", "(B, T)"});
  refuses<ValueError>([&] { model.logits({Array::full({1, 2}, 29, int64), {}}); }, {"29"});
  const auto state = model.start(2);
  const Array ids = some_ids({2, 3}, 29);
  refuses<ShapeError>([&] { model.next(some_ids({3, 3}, 29), {}, *state); }, {"(3, 3)", "2 rows"});
  refuses<ShapeError>([&] { model.next(Array::zeros({2, 0}, int64), {}, *state); }, {"(2, 0)"});
  refuses<ShapeError>([&] { model.next(ids, std::vector<int64_t>{3}, *state); }, {"1 lengths", "(2, 3)"});
  refuses<ShapeError>([&] { model.next(ids, std::vector<int64_t>{3, 0}, *state); }, {"row 1", "0 tokens"});
  refuses<ShapeError>([&] { model.next(ids, std::vector<int64_t>{4, 1}, *state); }, {"row 0", "4 tokens"});
  refuses<ValueError>([&] { other.next(ids, {}, *state); }, {"another model"});
  refuses<ValueError>([&] { state->select(std::vector<int64_t>{0, 2}); }, {"no row 2 among 2"});
  refuses<ValueError>([&] { model.start({ids, {}}); }, {"no encoder"});
  CHECK(state->length(0) == 0);
}

TEST_CASE("recurrent language model: documents that share rows have the bits that each has alone") {
  for (const RecurrentCell cell : cells) {
    const RandomScope random({.seed = 1});
    RecurrentLM model(small_lm(cell));
    check_documents_of(model, 29);
  }
}

}  // namespace weft::test
