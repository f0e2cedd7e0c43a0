#include <doctest/doctest.h>
#include <weft/layers/models/bert.h>
#include <weft/lib/array/random.h>

#include "model_reference.h"

namespace weft::test {

namespace {

const BERTConfig small_bert{.vocab_size = 29, .block_size = 12, .n_layer = 2, .n_head = 2, .n_embd = 16};

BERTConfig with_classes(int64_t n_class) {
  BERTConfig config = small_bert;
  config.n_class = n_class;
  return config;
}

}  // namespace

TEST_CASE("bert: logits, loss and every gradient equal those of transformers, with padding and segments") {
  const StateDict file = model_file("bert.h5");
  for (const char* name : {"masked", "masked with segments", "classification"}) {
    CAPTURE(std::string(name));
    check_model<BERT, BERTConfig>(file.dict(name));
  }
}

TEST_CASE("bert: what stands in the padding changes no bit of what counts") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  for (const int64_t n_class : {0, 3}) {
    const BERT model(with_classes(n_class));
    const Array ids = some_ids({2, 12}, 29);
    const Tensor padded = model.logits({.inputs = ids, .targets = {}, .lengths = {12, 7}});
    const Array alone = slice(slice(Tensor(ids), 0, 1, 2), 1, 0, 7).value();
    const Tensor row = slice(padded, 0, 1, 2);
    CHECK(model.logits({alone, {}}).value().identical((n_class ? row : slice(row, 1, 0, 7)).value()));
  }
}

TEST_CASE("bert: segments are counted by separators, up to the last type there is") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  BERTConfig config = small_bert;
  config.separator = 3;
  BERT with(config);
  BERT without(small_bert);
  without.load_state_dict(with.state_dict());
  const auto segments_matter = [&](std::vector<int64_t> ids) {
    const auto T = static_cast<int64_t>(ids.size());
    const Array row = Array::from(ids, {1, T});
    return !with.encode(row).value().identical(without.encode(row).value());
  };
  CHECK_FALSE(segments_matter({1, 2, 4, 3}));
  CHECK(segments_matter({1, 3, 4}));
}

TEST_CASE("bert: gradients of micro-batches are those of the whole batch, bit for bit, dropout on") {
  const RandomScope random({.seed = 1});
  for (const int64_t n_class : {0, 3}) {
    BERTConfig config = with_classes(n_class);
    config.dropout = 0.1;
    BERT model(config);
    check_micro_batches(model, {.inputs = some_ids({4, 9}, 29),
                                .targets = n_class ? some_ids({4}, 3) : some_ids({4, 9}, 29),
                                .lengths = {9, 5, 1, 7}});
  }
}

TEST_CASE("bert: first values, and how many there are") {
  const RandomScope random({.seed = 1});
  const BERT model({.vocab_size = 65, .block_size = 64, .n_layer = 2, .n_head = 4, .n_embd = 128});
  const int64_t C = 128, block = 12 * C * C + 13 * C;
  CHECK(model.parameter_count() == (65 + 64 + 2) * C + 2 * C + 2 * block + (C * C + 3 * C + 65));
  check_first_values(model, 0.02 * std::sqrt(6.0));  // sqrt(768 / 128)
}

TEST_CASE("bert: a pretrained state fits all of a classifier but its head") {
  const RandomScope random({.seed = 1});
  BERT pretrained(small_bert), classifier(with_classes(3));
  const LoadReport report = classifier.load_matching(pretrained.state_dict());
  CHECK(report.mismatched.empty());
  CHECK(report.missing == std::vector<std::string>{"head.classifier.bias", "head.classifier.weight",
                                                   "head.pooler.bias", "head.pooler.weight"});
  const Array ids = some_ids({2, 12}, 29);
  CHECK(classifier.encode(ids).value().identical(pretrained.encode(ids).value()));
}

TEST_CASE("bert: configurations survive their state, and those out of range are refused by name") {
  BERTConfig odd{.vocab_size = 31,
                 .block_size = 9,
                 .n_layer = 3,
                 .n_head = 5,
                 .n_embd = 20,
                 .n_inner = 7,
                 .n_class = 6,
                 .n_type = 4,
                 .separator = 8,
                 .dropout = 0.25,
                 .layer_norm_eps = 1e-6};
  CHECK(identical(BERTConfig::from_state(odd.state()).state(), odd.state()));
  CHECK(odd.state().size() == 12);
  refuses<StateError>([] { BERTConfig::from_state(StateDict()); }, {"vocab_size"});
  const auto with = [](auto change) {
    BERTConfig config = small_bert;
    change(config);
    return [config] { BERT model(config); };
  };
  refuses<ValueError>(with([](BERTConfig& c) { c.n_head = 3; }), {"BERT", "n_embd = 16", "n_head = 3"});
  refuses<ValueError>(with([](BERTConfig& c) { c.vocab_size = 0; }), {"BERT", "vocab_size = 0"});
  refuses<ValueError>(with([](BERTConfig& c) { c.n_class = -1; }), {"BERT", "n_class = -1"});
  refuses<ValueError>(with([](BERTConfig& c) { c.separator = 29; }), {"separator = 29", "vocab_size = 29"});
  refuses<ValueError>(with([](BERTConfig& c) { c.dropout = 1; }), {"BERT", "dropout = 1"});
  refuses<ValueError>(with([](BERTConfig& c) { c.dropout = std::nan(""); }), {"BERT", "dropout = nan"});
}

TEST_CASE("bert: inputs that do not fit") {
  const RandomScope random({.seed = 1});
  const BERT model(small_bert), classifier(with_classes(3));
  refuses<ShapeError>([&] { model.logits({some_ids({5}, 29), {}}); }, {"BERT", "(5,)", "(B, T)"});
  refuses<ShapeError>([&] { model.logits({some_ids({1, 13}, 29), {}}); }, {"BERT", "(1, 13)", "12"});
  refuses<ShapeError>([&] { classifier.logits({Array::zeros({2, 0}, int64), {}}); }, {"BERT", "(2, 0)"});
  refuses<ValueError>([&] { model.logits({Array::full({1, 2}, 29, int64), {}}); }, {"29"});
  refuses<ShapeError>([&] { model.logits({some_ids({2, 4}, 29), {}, {4}}); }, {"(2, 2, 4, 4)", "1"});
  refuses<ShapeError>(
      [&] {
        classifier.loss({some_ids({2, 4}, 29), some_ids({2, 4}, 3)});
      },
      {"(2, 3)", "(2, 4)"});
}

}  // namespace weft::test
