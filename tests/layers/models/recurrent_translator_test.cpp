#include <doctest/doctest.h>
#include <weft/layers/attention_recorder.h>
#include <weft/layers/models/recurrent_translator.h>
#include <weft/lib/array/random.h>

#include "decoding.h"
#include "model_reference.h"

namespace weft::test {

namespace {

const RecurrentTranslatorConfig small_translator{.vocab_size = 29, .n_layer = 2, .n_embd = 20, .start_id = 3};

/// Targets of some rows, of which lengths[b] count.
Array targets_of(const std::vector<int64_t>& lengths, int64_t T) {
  Array targets = some_ids({static_cast<int64_t>(lengths.size()), T}, 29);
  for (size_t b = 0; b < lengths.size(); ++b)
    for (int64_t t = lengths[b]; t < T; ++t)
      targets.mutable_data<int64_t>()[static_cast<int64_t>(b) * T + t] = Batch::ignored;
  return targets;
}

}  // namespace

TEST_CASE("recurrent translator: logits, loss and every gradient equal PyTorch's, padding included") {
  const StateDict file = model_file("recurrent.h5");
  for (const char* name : {"translator 1", "translator 2"}) {
    CAPTURE(std::string(name));
    const StateDict& expected = file.dict(name);
    const NoInit no_init;
    RecurrentTranslator model(RecurrentTranslatorConfig::from_state(expected.dict("config")));
    const Batch batch = batch_of(expected);
    const Array counts = Tensor(batch.targets) >= 0;
    for (const DType dtype : {float32, float64}) {
      const double tolerance = dtype == float32 ? 1e-5 : 2e-7;
      model.to(dtype);
      model.load_state_dict(converted(expected.dict("weights"), dtype));
      const Tensor logits = where(counts.reshape({3, 7, 1}), model.logits(batch), zeros({3, 7, 23}, dtype));
      CHECK(difference(logits.value(), expected.array("logits"), tolerance) == "");
      const Tensor loss = model.loss(batch).mean();
      CHECK(difference(loss.value(), expected.array("loss"), tolerance) == "");
      loss.backward();
      check_grads(model, expected.dict("grads"), tolerance);
    }
  }
}

TEST_CASE(
    "recurrent translator: next() has the bits of the full pass, rows of any lengths, chosen and reordered") {
  const RandomScope random({.seed = 1});
  RecurrentTranslator model(small_translator);
  model.eval();
  CHECK(model.has_encoder());
  CHECK(model.start_id() == 3);
  const std::vector<Ids> texts = {piece(0, 9, 29), piece(50, 1, 29), piece(80, 5, 29)};
  const auto source = [&](const std::vector<int64_t>& rows) {
    std::vector<Ids> chosen;
    Batch batch;
    for (const int64_t row : rows) {
      chosen.push_back(texts[static_cast<size_t>(row)]);
      batch.lengths.push_back(static_cast<int64_t>(chosen.back().size()));
    }
    batch.inputs = ids_of(chosen);
    return batch;
  };
  DecodedRows rows{
      model, [&](const std::vector<int64_t>& sources) { return model.start(source(sources)); }, {0, 1, 2}};
  // The full pass reads the start and all but the last target: the answer read so far, and one more.
  const auto full = [&](int64_t row, const Ids& ids) {
    REQUIRE(ids[0] == model.start_id());
    Ids targets(ids.begin() + 1, ids.end());
    targets.push_back(0);
    Batch batch = source({row});
    batch.targets = ids_of({targets});
    return model.logits(batch);
  };
  rows.next({{3, 5}, {3}, {3, 7, 8}}, full);
  rows.next({{1}, {2}, {4}}, full);
  rows.select({2, 0, 0});
  rows.next({{9}, {10}, {11}}, full);
  rows.next({{9, 1}, {10}, {11, 2}}, full);
  rows.select({1});
  rows.next({{6}}, full);
}

TEST_CASE("recurrent translator: gradients of micro-batches are those of the whole batch, bit for bit") {
  const RandomScope random({.seed = 1});
  RecurrentTranslatorConfig config = small_translator;
  config.dropout = 0.1;
  RecurrentTranslator model(config);
  check_micro_batches(model, {some_ids({4, 9}, 29), targets_of({6, 2, 5, 1}, 6), {9, 5, 1, 7}});
}

TEST_CASE("recurrent translator: what stands in the padding changes no bit of what counts") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  const RecurrentTranslator model(small_translator);
  const Array ids = some_ids({2, 12}, 29), targets = some_ids({2, 5}, 29);
  const Tensor padded = model.logits({ids, targets, {12, 7}});
  const auto row = [](const Array& x) { return slice(Tensor(x), 0, 1, 2); };
  const Batch alone{slice(row(ids), 1, 0, 7).value(), row(targets).value()};
  CHECK(model.logits(alone).value().identical(row(padded.value()).value()));
}

TEST_CASE("recurrent translator: a recorder sees attention look at the tokens there are") {
  const RandomScope random({.seed = 1});
  const RecurrentTranslator model(small_translator);
  const AttentionRecorder recorder;
  model.logits({some_ids({2, 6}, 29), some_ids({2, 3}, 29), {6, 2}});
  REQUIRE(recorder.records().size() == 1);
  const AttentionRecord& seen = recorder.records()[0];
  CHECK(seen.path == "attention");
  CHECK(seen.cross);
  CHECK(seen.weights.shape() == Shape{2, 1, 3, 6});
  CHECK(difference(sum(Tensor(seen.weights), {-1}).value(), Array::ones({2, 1, 3}), 1e-6) == "");
  CHECK(slice(slice(Tensor(seen.weights), 0, 1, 2), 3, 2, 6).value().identical(Array::zeros({1, 1, 3, 4})));
}

TEST_CASE("recurrent translator: configurations survive their state, and those out of range are refused") {
  const RecurrentTranslatorConfig odd{
      .vocab_size = 31, .n_layer = 3, .n_embd = 14, .start_id = 5, .dropout = 0.25, .tie_embeddings = false};
  CHECK(identical(RecurrentTranslatorConfig::from_state(odd.state()).state(), odd.state()));
  const auto with = [](auto change) {
    RecurrentTranslatorConfig config = small_translator;
    change(config);
    return [config] { RecurrentTranslator model(config); };
  };
  refuses<ValueError>(with([](auto& c) { c.n_embd = 21; }), {"RecurrentTranslator", "n_embd = 21", "odd"});
  refuses<ValueError>(with([](auto& c) { c.start_id = 29; }), {"start_id = 29", "vocab_size = 29"});
  refuses<ValueError>(with([](auto& c) { c.n_layer = 0; }), {"RecurrentTranslator", "n_layer = 0"});
  refuses<ValueError>(with([](auto& c) { c.dropout = 1; }), {"RecurrentTranslator", "dropout = 1"});
}

TEST_CASE("recurrent translator: inputs that do not fit") {
  const RandomScope random({.seed = 1});
  const RecurrentTranslator model(small_translator);
  const Array ids = some_ids({2, 4}, 29);
  refuses<ShapeError>([&] { model.logits({ids, {}}); }, {"RecurrentTranslator", "targets", "missing"});
  refuses<ShapeError>(
      [&] {
        model.logits({some_ids({4}, 29), ids});
      },
      {"RecurrentTranslator", "(4,)", "(B, S)"});
  refuses<ShapeError>([&] { model.logits({some_ids({3, 4}, 29), ids}); }, {"(3, 20)", "(2, 20)"});
  refuses<ValueError>([&] { model.logits({ids, ids, {4, 5}}); }, {"5 of sample 1"});
  refuses<ValueError>([&] { model.start(2); }, {"lstm-seq2seq", "answers a sequence"});
  const auto state = model.start({ids, {}});
  refuses<ShapeError>([&] { model.next(some_ids({3, 1}, 29), {}, *state); }, {"(3, 1)", "2 rows"});
  refuses<ValueError>([&] { state->select(std::vector<int64_t>{-1}); }, {"no row -1"});
}

}  // namespace weft::test
