// Models that write without a cache: GenerativeModel's own start() and next(), beside those that remember.
#include <doctest/doctest.h>
#include <weft/layers/embedding.h>
#include <weft/layers/linear.h>
#include <weft/layers/models/bert.h>
#include <weft/layers/models/decoding/generation.h>
#include <weft/layers/models/decoding/shift.h>
#include <weft/layers/models/gpt.h>
#include <weft/layers/models/llama.h>
#include <weft/layers/models/recurrent_lm.h>
#include <weft/layers/models/recurrent_translator.h>
#include <weft/layers/models/registry.h>
#include <weft/layers/models/t5.h>
#include <weft/layers/models/transformer.h>
#include <weft/layers/models/vit.h>
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
struct VocabularyConfig {
  int64_t vocab_size = 29;
  static const Settings<VocabularyConfig>& settings() {
    static const Settings<VocabularyConfig> all = {
        Field(&VocabularyConfig::vocab_size, "vocab_size", 1, 100)};
    return all;
  }
};
struct EmptyConfig {
  int64_t n_layer = 1;
  static const Settings<EmptyConfig>& settings() {
    static const Settings<EmptyConfig> all = {Field(&EmptyConfig::n_layer, "n_layer", 1, 100)};
    return all;
  }
};
template <class C>
struct AveragesOf : GenerativeModel {
  const C config;
  Embedding& token_embedding;
  Linear& head;
  using Config = C;
  explicit AveragesOf(const Config& c = {})
      : config(c),
        token_embedding(this->template child<Embedding>("token_embedding", 29, 8)),
        head(this->template child<Linear>("head", 8, 29)) {}
  Tensor logits(const Batch& batch) const override {
    const Tensor x = token_embedding(batch.inputs);  // (B, T, C)
    std::vector<Tensor> means;
    for (int64_t t = 1; t <= x.dim(1); ++t) means.push_back(mean(slice(x, 1, 0, t), {1}));
    return head(stack(means, 1));
  }
};
using Averages = AveragesOf<VocabularyConfig>;
using Nameless = AveragesOf<EmptyConfig>;

/// An encoder-decoder in one class: the mean of the source beside each token that was written.
struct AnswersConfig {
  int64_t vocab_size = 29, block_size = 13, start_id = 2;
  static const Settings<AnswersConfig>& settings() {
    using C = AnswersConfig;
    static const Settings<C> all = {Field(&C::vocab_size, "vocab_size", 1, 100),
                                    Field(&C::block_size, "block_size", 1, 100),
                                    Field(&C::start_id, "start_id", 0, 100)};
    return all;
  }
};
struct Answers : GenerativeModel {
  using Config = AnswersConfig;
  static std::vector<TaskKind> learns() { return {TaskKind::pairs}; }
  const Config config;
  Embedding& token_embedding;
  Linear& head;
  explicit Answers(const Config& c = {})
      : config(c),
        token_embedding(child<Embedding>("token_embedding", 29, 8)),
        head(child<Linear>("head", 8, 29)) {}
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

const bool registered = [] {
  register_model<Averages>("averages");
  register_model<Nameless>("nameless");
  register_model<Answers>("answers");
  register_model<WithoutCache<GPT>>("gpt-without-cache");
  register_model<WithoutCache<Llama>>("llama-without-cache");
  register_model<WithoutCache<RecurrentLM>>("recurrent-without-cache");
  register_model<WithoutCache<Transformer>>("transformer-without-cache");
  register_model<WithoutCache<T5>>("t5-without-cache");
  register_model<WithoutCache<RecurrentTranslator>>("translator-without-cache");
  return true;
}();

}  // namespace

TEST_CASE("register model: a user's is made by name, from its settings and the data, once") {
  CHECK(registered);
  const RandomScope random({.seed = 1});
  const ModelEntry& entry = models().at("answers");
  CHECK(entry.takes(TaskKind::pairs));
  const auto made = make_model(
      "answers", entry.settings_for({{"block_size", int64_t{20}}}, {.sizes = {.longest_input = 40}}));
  CHECK(made->kind() == "answers");
  CHECK(made->config_state().integer("block_size") == 40);
  refuses<ValueError>([] { register_model<Averages>("averages"); }, {"'averages' already"});
  refuses<ValueError>([] { register_model<Averages>("gpt2"); }, {"'gpt2' already"});
  refuses<ValueError>([] { make_model("gtp2", {}); }, {"'gtp2'", "'gpt2'"});
  struct Unknown : GenerativeModel {
    Tensor logits(const Batch&) const override { return {}; }
  };
  refuses<StateError>([] { Unknown().kind(); }, {"Unknown", "register_model<"});
}

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
  refuses<StateError>([] { Nameless().vocab_size(); }, {"nameless", "vocab_size", "override vocab_size()"});
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

TEST_CASE("model: one that does not keep documents apart refuses them") {
  const RandomScope random({.seed = 1});
  const Array ids = ids_of({{1, 2, 3}});
  const Batch packed{.inputs = ids, .targets = ids, .documents = {{0, 2}}};
  const auto refuses_them = [&](const Model& model, const std::string& name) {
    refuses<ValueError>([&] { model.loss(packed); }, {name, "no documents"});
    refuses<ValueError>([&] { model.logits(packed); }, {name, "no documents"});
    CHECK_FALSE(model.takes_documents());
  };
  refuses_them(BERT({.vocab_size = 29, .n_layer = 1, .n_head = 2, .n_embd = 8}), "bert");
  refuses_them(BERT({.vocab_size = 29, .n_layer = 1, .n_head = 2, .n_embd = 8, .n_class = 3}), "bert");
  refuses_them(Transformer({.vocab_size = 29, .n_layer = 1, .n_head = 2, .n_embd = 8}), "transformer");
  refuses_them(T5({.vocab_size = 29, .n_layer = 1, .n_head = 2, .n_embd = 8}), "t5");
  refuses_them(RecurrentTranslator({.vocab_size = 29, .n_layer = 1, .n_embd = 8}), "lstm-seq2seq");
  refuses_them(ViT({.image_size = 8, .patch_size = 4, .n_class = 2, .n_layer = 1, .n_head = 2, .n_embd = 8}),
               "vit");
  const Averages own;
  refuses<ValueError>([&] { own.loss(packed); }, {"averages", "no documents"});
}

}  // namespace weft::test
