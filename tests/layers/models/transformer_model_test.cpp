#include <doctest/doctest.h>
#include <weft/layers/models/decoding/shift.h>
#include <weft/layers/models/transformer.h>
#include <weft/lib/array/random.h>

#include "decoding.h"
#include "model_reference.h"

namespace weft::test {

namespace {

TransformerConfig small_transformer(bool pre_norm, int64_t width = 16) {
  return {.vocab_size = 23,
          .block_size = 14,
          .n_layer = 2,
          .n_head = 2,
          .n_embd = width,
          .start_id = 2,
          .pre_norm = pre_norm};
}

/// Sources of different lengths, side by side.
Batch sources(const std::vector<int64_t>& numbers) {
  std::vector<Ids> rows;
  Batch batch;
  for (const int64_t n : numbers) {
    rows.push_back(piece(1000 * n, 3 + 4 * n, 23));
    batch.lengths.push_back(static_cast<int64_t>(rows.back().size()));
  }
  batch.inputs = ids_of(rows);
  return batch;
}

}  // namespace

TEST_CASE("transformer model: logits, loss and every gradient equal PyTorch's, both norm placements") {
  const StateDict file = model_file("transformer.h5");
  check_model<Transformer, TransformerConfig>(file.dict("post-norm"));
  check_model<Transformer, TransformerConfig>(file.dict("pre-norm"), 0.1);
}

TEST_CASE("transformer model: decoding has the bits of the full pass, rows in any order and of any length") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  for (const bool pre_norm : {false, true}) {
    for (const int64_t width : {16, 72}) {
      const Transformer model(small_transformer(pre_norm, width));
      DecodedRows rows{model,
                       [&](const std::vector<int64_t>& numbers) { return model.start(sources(numbers)); },
                       {2, 0, 1}};
      const auto full = [&](int64_t source, const Ids& ids) {
        return model.decode(ids_of({ids}), model.encode(sources({source}).inputs));
      };
      rows.next({{2}, {2}, {2}}, full);
      rows.next({{5, 6, 7}, {1}, {9, 4}}, full);
      rows.select({1, 2, 2, 0});
      rows.next({{3}, {8}, {1}, {22}}, full);
      rows.next({{3, 4, 5, 6, 7}, {8, 1}, piece(0, 10, 23), {2}}, full);
      rows.select({2});
      refuses<ShapeError>([&] { model.next(ids_of({{1}}), {}, *rows.state); }, {"Transformer", "14"});
    }
  }
}

TEST_CASE("transformer model: what stands in the padding changes no bit of what counts") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  const Transformer model(small_transformer(false));
  const Array source = some_ids({2, 12}, 23), targets = some_ids({2, 9}, 23);
  const Tensor padded = model.logits({source, targets, {12, 5}});
  const auto cut = [](const Array& rows, int64_t tokens) {
    return slice(slice(Tensor(rows), 0, 1, 2), 1, 0, tokens).value();
  };
  CHECK(model.logits({cut(source, 5), cut(targets, 4)}).value().identical(cut(padded.value(), 4)));
}

TEST_CASE("transformer model: gradients of micro-batches are those of the whole batch, bit for bit") {
  const RandomScope random({.seed = 1});
  TransformerConfig config = small_transformer(false);
  config.dropout = 0.1;
  Transformer model(config);
  model.label_smoothing = 0.1;
  check_micro_batches(model, {some_ids({3, 9}, 23), some_ids({3, 7}, 23), {9, 4, 1}});
}

TEST_CASE("transformer model: the decoder reads the targets shifted right, padding as the start id") {
  const Array targets = Array::from<int64_t>({5, 6, 1, 7, 1, -100}, {2, 3});
  CHECK(shifted_right("t5", targets, 2).identical(Array::from<int64_t>({2, 5, 6, 2, 7, 1}, {2, 3})));
  CHECK(shifted_right("t5", Array::from<int64_t>({-100, -100}, {1, 2}), 9)
            .identical(Array::from<int64_t>({9, 9}, {1, 2})));
  CHECK(shifted_right("t5", Array::zeros({2, 0}, int64), 2).shape() == Shape{2, 0});
  refuses<ShapeError>([] { shifted_right("t5", {}, 2); }, {"t5", "missing", "(B, T)"});
  refuses<ShapeError>([] { shifted_right("t5", Array::zeros({4}, int64), 2); }, {"t5", "(4,)", "(B, T)"});
}

TEST_CASE("transformer model: first values, and how many there are") {
  const RandomScope random({.seed = 1});
  const int64_t C = 64, F = 128, V = 100;
  for (const bool pre_norm : {false, true}) {
    const Transformer model(
        {.vocab_size = V, .n_layer = 2, .n_head = 4, .n_embd = C, .n_inner = F, .pre_norm = pre_norm});
    const int64_t attention = 4 * (C * C + C), feed_forward = 2 * C * F + F + C, norm = 2 * C;
    CHECK(model.parameter_count() ==
          V * C + 2 * (3 * attention + 2 * feed_forward + 5 * norm) + 2 * norm * pre_norm);
    for (const NamedTensor& p : model.parameters()) {
      CAPTURE(p.name);
      if (p.tensor.rank() != 2) continue;
      const double fans = static_cast<double>(p.tensor.dim(0) + p.tensor.dim(1));
      const double expected = p.name == "token_embedding.weight" ? 1 / std::sqrt(64.0) : std::sqrt(2 / fans);
      CHECK(std::sqrt(var(p.tensor).item()) == doctest::Approx(expected).scale(0).epsilon(0.05));
    }
  }
}

TEST_CASE(
    "transformer model: configurations survive their state, and those out of range are refused by name") {
  const TransformerConfig odd{.vocab_size = 31,
                              .block_size = 9,
                              .n_layer = 3,
                              .n_head = 5,
                              .n_embd = 20,
                              .n_inner = 7,
                              .start_id = 30,
                              .pre_norm = true,
                              .dropout = 0.25,
                              .layer_norm_eps = 1e-6};
  CHECK(identical(TransformerConfig::from_state(odd.state()).state(), odd.state()));
  CHECK(odd.state().size() == 11);
  refuses<StateError>([] { TransformerConfig::from_state(StateDict()); }, {"vocab_size"});
  const auto with = [](auto change) {
    TransformerConfig config = small_transformer(false);
    change(config);
    return [config] { Transformer model(config); };
  };
  refuses<ValueError>(with([](TransformerConfig& c) { c.n_head = 3; }), {"n_embd = 16", "n_head = 3"});
  refuses<ValueError>(with([](TransformerConfig& c) { c.n_embd = 5, c.n_head = 1; }), {"n_embd = 5", "odd"});
  refuses<ValueError>(with([](TransformerConfig& c) { c.start_id = 23; }),
                      {"start_id = 23", "vocab_size = 23"});
  refuses<ValueError>(with([](TransformerConfig& c) { c.block_size = 0; }),
                      {"Transformer", "block_size = 0"});
  refuses<ValueError>(with([](TransformerConfig& c) { c.dropout = -0.5; }),
                      {"Transformer", "dropout = -0.5"});
}

TEST_CASE("transformer model: inputs that do not fit") {
  const RandomScope random({.seed = 1});
  const Transformer model(small_transformer(false));
  CHECK(model.start_id() == 2);
  CHECK(model.has_encoder());
  refuses<ShapeError>(
      [&] {
        model.logits({some_ids({1, 15}, 23), some_ids({1, 2}, 23)});
      },
      {"(1, 15)", "14"});
  refuses<ShapeError>(
      [&] {
        model.logits({some_ids({1, 2}, 23), some_ids({1, 15}, 23)});
      },
      {"(1, 15)", "14"});
  refuses<ShapeError>([&] { model.logits({some_ids({1, 2}, 23), {}}); }, {"Transformer", "targets"});
  refuses<ShapeError>([&] { model.logits({some_ids({2}, 23), some_ids({1, 2}, 23)}); }, {"(2,)", "(B, T)"});
  refuses<ShapeError>([&] { model.logits({some_ids({2, 3}, 23), some_ids({1, 3}, 23)}); }, {"(2, 3, 16)"});
  refuses<ValueError>([&] { model.start(3); }, {"transformer", "start"});
  KeyValueState other(1, 2);
  refuses<ValueError>([&] { model.next(some_ids({1, 1}, 23), {}, other); }, {"Transformer", "start()"});
}

}  // namespace weft::test
