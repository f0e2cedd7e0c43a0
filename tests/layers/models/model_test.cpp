// Models that write without a cache: GenerativeModel's own start() and next(), beside those that remember.
#include <doctest/doctest.h>
#include <weft/layers/embedding.h>
#include <weft/layers/linear.h>
#include <weft/layers/models/decoding/generation.h>
#include <weft/layers/models/decoding/shift.h>
#include <weft/layers/models/gpt.h>
#include <weft/layers/models/llama.h>
#include <weft/layers/models/recurrent_lm.h>
#include <weft/layers/models/recurrent_translator.h>
#include <weft/layers/models/t5.h>
#include <weft/layers/models/transformer.h>
#include <weft/lib/array/random.h>

#include "checks.h"
#include "decoding.h"

namespace weft::test {

namespace {

using Texts = std::vector<Ids>;

/// A model that forgets what its own start() and next() would remember.
template <class M>
struct WithoutCache : M {
  using M::M;
  std::unique_ptr<DecoderState> start(int64_t rows) const override { return GenerativeModel::start(rows); }
  std::unique_ptr<DecoderState> start(const Batch& source) const override {
    return GenerativeModel::start(source);
  }
  Tensor next(const Array& ids, std::span<const int64_t> lengths, DecoderState& state) const override {
    return GenerativeModel::next(ids, lengths, state);
  }
};

/// Everything that generation gives, for both.
template <class M, class Config>
void check_without_cache(const Config& config) {
  const RandomScope random({.seed = 1});
  M with(config);
  WithoutCache<M> without(config);
  without.load_state_dict(with.state_dict());
  with.eval();
  without.eval();
  CHECK(without.vocab_size() == config.vocab_size);
  const Texts prompts = {piece(0, 5, 29), piece(10, 1, 29), piece(20, 14, 29), piece(40, 7, 29)};
  // Each row fills a context of 12 at its own time, several times.
  const GenerateOptions options{.tokens = 31, .sampling = {.temperature = 1.2, .top_p = 0.9}, .seed = 4};
  const Texts found = generate_batch(without, prompts, options);
  CHECK(found == generate_batch(with, prompts, options));
  CHECK(found[2] == generate(without, prompts[2], options));
  const BeamSearchOptions beams{.beams = 3, .tokens = 17, .length_penalty = 0.5, .end_ids = {4}};
  const auto expected = beam_search(with, prompts, beams), searched = beam_search(without, prompts, beams);
  for (size_t i = 0; i < prompts.size(); ++i) {
    REQUIRE(searched[i].size() == expected[i].size());
    for (size_t k = 0; k < expected[i].size(); ++k) {
      CHECK(searched[i][k].tokens == expected[i][k].tokens);
      CHECK(searched[i][k].score == expected[i][k].score);
    }
  }
}

/// A language model in one class: no cache, no position, and the mean of what was read so far.
struct Averages : GenerativeModel {
  Embedding& token_embedding;
  Linear& head;
  explicit Averages(bool in_state = true)
      : token_embedding(child<Embedding>("token_embedding", 29, 8)),
        head(child<Linear>("head", 8, 29)),
        in_state_(in_state) {}
  std::string kind() const override { return "averages"; }
  StateDict config_state() const override {
    StateDict state;
    if (in_state_) state.set("vocab_size", 29);
    return state;
  }
  Tensor logits(const Batch& batch) const override {
    const Tensor x = token_embedding(batch.inputs);  // (B, T, C)
    std::vector<Tensor> means;
    for (int64_t t = 1; t <= x.dim(1); ++t) means.push_back(mean(slice(x, 1, 0, t), {1}));
    return head(stack(means, 1));
  }

 private:
  bool in_state_;
};

/// An encoder-decoder in one class: the mean of the source beside each token that was written.
struct Answers : GenerativeModel {
  Embedding& token_embedding;
  Linear& head;
  Answers()
      : token_embedding(child<Embedding>("token_embedding", 29, 8)), head(child<Linear>("head", 8, 29)) {}
  std::string kind() const override { return "answers"; }
  StateDict config_state() const override {
    StateDict state;
    state.set("vocab_size", 29);
    state.set("block_size", 13);
    state.set("start_id", 2);
    return state;
  }
  bool has_encoder() const override { return true; }
  Tensor logits(const Batch& batch) const override {
    const Tensor source = token_embedding(batch.inputs);
    std::vector<Tensor> means;
    for (int64_t b = 0; b < source.dim(0); ++b) {
      const int64_t count = batch.lengths.empty() ? source.dim(1) : batch.lengths[static_cast<size_t>(b)];
      means.push_back(mean(slice(slice(source, 0, b, b + 1), 1, 0, count), {1}, true));
    }
    return head(token_embedding(shifted_right("answers", batch.targets, start_id())) + cat(means, 0));
  }
};

}  // namespace

TEST_CASE("model: what decoders give without a cache has the bits of what they give with one") {
  check_without_cache<GPT>(
      GPTConfig{.vocab_size = 29, .block_size = 12, .n_layer = 2, .n_head = 2, .n_embd = 16});
  check_without_cache<Llama>(LlamaConfig{.vocab_size = 29,
                                         .block_size = 12,
                                         .n_layer = 2,
                                         .n_head = 4,
                                         .n_kv_head = 2,
                                         .n_embd = 16,
                                         .window = 5});
  for (const RecurrentCell cell : {RecurrentCell::lstm, RecurrentCell::gru})
    check_without_cache<RecurrentLM>(RecurrentLMConfig{.cell = cell, .vocab_size = 29, .n_embd = 16});
}

TEST_CASE("model: what encoder-decoders give without a cache has the bits of what they give with one") {
  for (const bool pre_norm : {false, true})
    check_without_cache<Transformer>(TransformerConfig{
        .vocab_size = 29, .block_size = 14, .n_head = 2, .n_embd = 16, .start_id = 2, .pre_norm = pre_norm});
  check_without_cache<T5>(T5Config{.vocab_size = 29,
                                   .block_size = 14,
                                   .n_layer = 2,
                                   .n_head = 2,
                                   .n_embd = 16,
                                   .n_bucket = 6,
                                   .max_distance = 7,
                                   .start_id = 1});
  check_without_cache<RecurrentTranslator>(
      RecurrentTranslatorConfig{.vocab_size = 29, .n_layer = 2, .n_embd = 16, .start_id = 3});
}

TEST_CASE("model: rows of different lengths, in pieces and reordered, without a cache") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  check_decoding(Averages(), 29, 40);
  check_answering(Answers(), 29);
  check_decoding(WithoutCache<GPT>(GPTConfig{.vocab_size = 29, .block_size = 40, .n_layer = 1, .n_embd = 16}),
                 29, 40);
}

TEST_CASE("model: one with logits alone generates, within the context that its configuration tells") {
  const RandomScope random({.seed = 1});
  const Averages model;
  CHECK(model.vocab_size() == 29);
  CHECK(model.context() == INT64_MAX);
  CHECK(generate(model, {3, 1}, {.tokens = 20}).size() == 20);
  CHECK(beam_search(model, {{3}, {4, 5}}, {.tokens = 5})[1][0].tokens.size() == 5);
  const Answers other;
  CHECK(other.context() == 13);
  CHECK(other.start_id() == 2);
  CHECK(generate(other, {3, 1}, {.tokens = 30}).size() == 30);
}

TEST_CASE("model: what decoding without a cache does not take") {
  const RandomScope random({.seed = 1});
  const Averages model;
  const Answers other;
  refuses<StateError>([] { Averages(false).vocab_size(); },
                      {"averages", "vocab_size", "override vocab_size()"});
  refuses<ValueError>([&] { model.start_id(); }, {"averages", "no encoder"});
  refuses<ValueError>([&] { model.start(-1); }, {"-1 rows"});
  refuses<ValueError>([&] { model.start(Batch{ids_of({{1}}), {}}); }, {"averages", "no encoder"});
  refuses<ValueError>([&] { other.start(2); }, {"answers", "start()"});
  refuses<ShapeError>([&] { other.start(Batch{}); }, {"missing", "(B, ...)"});
  const auto state = model.start(2);
  const auto answer = other.start(Batch{ids_of({{1, 5}}), {}});
  refuses<ValueError>([&] { model.next(ids_of({{1}}), {}, *answer); }, {"averages", "another model"});
  refuses<ValueError>([&] { other.next(ids_of({{1}, {2}}), {}, *state); }, {"answers", "another model"});
  refuses<ShapeError>([&] { model.next(ids_of({{1}}), {}, *state); }, {"averages", "(1, 1)", "2 rows"});
  refuses<ValueError>([&] { other.next(ids_of({{7}}), {}, *answer); }, {"row 0", "7", "start_id 2"});
  refuses<ValueError>([&] { model.next(ids_of({{1}, {29}}), {}, *state); }, {"29"});
  refuses<ValueError>([&] { state->select(std::vector<int64_t>{0, 2}); }, {"no row 2"});
  // What was refused was not read.
  CHECK(state->length(1) == 0);
  CHECK(answer->length(0) == 0);
  CHECK(other.next(ids_of({{2, 7}}), {}, *answer).shape() == Shape{1, 29});
  refuses<ShapeError>([&] { other.next(ids_of({piece(0, 12, 29)}), {}, *answer); }, {"context of 13"});
}

}  // namespace weft::test
