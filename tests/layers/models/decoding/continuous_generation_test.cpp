#include <doctest/doctest.h>
#include <weft/layers/models/decoding/continuous_generation.h>
#include <weft/layers/models/decoding/generation.h>
#include <weft/layers/models/gpt.h>
#include <weft/layers/models/llama.h>
#include <weft/layers/models/recurrent_lm.h>
#include <weft/layers/models/recurrent_translator.h>
#include <weft/layers/models/registry.h>
#include <weft/layers/models/t5.h>
#include <weft/layers/models/transformer.h>
#include <weft/lib/array/random.h>

#include <cmath>
#include <map>

#include "checks.h"

namespace weft::test {

namespace {

using Tokens = std::vector<int64_t>;
using Drawn = ContinuousGeneration::Drawn;

constexpr int64_t vocab = 29;

/// A text that comes at a step, and how many tokens it is to have.
struct Arrival {
  int64_t step, tokens;
  ContinuousGeneration::Text text;
};

/// Some that begin together, others that come when those are under way; prompts beyond a context of 12, texts that fill it
/// again and again, texts of one token.
std::vector<Arrival> arrivals() {
  const RandomKey key = random_key(11, 11);
  const auto number = [&](uint64_t text, uint64_t what, uint64_t below) {
    return static_cast<int64_t>(integer_at(key, text, what, below));
  };
  std::vector<Arrival> all;
  for (uint64_t i = 0; i < 24; ++i) {
    Arrival one{number(i, 0, 30), 1 + number(i, 1, 40), {}};
    for (int64_t t = 0; t < 1 + number(i, 2, i % 3 == 0 ? 30 : 6); ++t)
      one.text.prompt.push_back(number(i, 100 + static_cast<uint64_t>(t), vocab));
    one.text.sampling = {.temperature = i % 4 == 0 ? 0.0 : 1.3,
                         .top_k = number(i, 3, 2) * 9,
                         .repetition_penalty = i % 5 == 0 ? 1.2 : 1.0};
    one.text.seed = static_cast<uint64_t>(number(i, 4, 3));
    one.text.sample = static_cast<uint64_t>(number(i, 5, 3));
    all.push_back(std::move(one));
  }
  return all;
}

Tokens alone(const GenerativeModel& model, const Arrival& one) {
  return generate(model, one.text.prompt,
                  {.tokens = one.tokens,
                   .sampling = one.text.sampling,
                   .seed = one.text.seed,
                   .samples = {one.text.sample}});
}

void check_as_alone(const GenerativeModel& model) {
  const std::vector<Arrival> all = arrivals();
  for (const int64_t most_read : {int64_t{1}, int64_t{5}, int64_t{100000}}) {
    CAPTURE(most_read);
    ContinuousGeneration texts(model);
    std::map<uint64_t, size_t> which;
    std::vector<Tokens> written(all.size());
    size_t come = 0;
    for (int64_t step = 0; come < all.size() || texts.size() > 0; ++step) {
      for (size_t i = 0; i < all.size(); ++i)
        if (all[i].step == step) {
          which[texts.add(all[i].text)] = i;
          ++come;
        }
      texts.step(
          [&](const Drawn& drawn) {
            const size_t i = which.at(drawn.name);
            CHECK(std::ssize(drawn.logits) == vocab);
            written[i].push_back(drawn.token);
            return std::ssize(written[i]) < all[i].tokens;
          },
          most_read);
      REQUIRE(step < 2000);
    }
    for (size_t i = 0; i < all.size(); ++i) {
      CAPTURE(i);
      CHECK(written[i] == alone(model, all[i]));
    }
  }
}

template <class M, class Config>
std::unique_ptr<M> made(const Config& config) {
  const RandomScope random({.seed = 1});
  auto model = std::make_unique<M>(config);
  model->eval();
  return model;
}

/// One whose states cannot be joined.
class Apart : public GPT {
  struct State : DecoderState {
    std::unique_ptr<DecoderState> in;
    explicit State(std::unique_ptr<DecoderState> of) : in(std::move(of)) {}
    void select(std::span<const int64_t> rows) override { in->select(rows); }
    int64_t length(int64_t row) const override { return in->length(row); }
    int64_t rows() const override { return in->rows(); }
  };

 public:
  using GPT::GPT;
  std::unique_ptr<DecoderState> start(int64_t rows) const override {
    return std::make_unique<State>(GPT::start(rows));
  }
  Tensor next(const Array& ids, std::span<const int64_t> lengths, DecoderState& state) const override {
    return GPT::next(ids, lengths, *dynamic_cast<State&>(state).in);
  }
};

/// One that remembers nothing.
template <class M>
struct Forgetful : M {
  using M::M;
  std::unique_ptr<DecoderState> start(int64_t rows) const override { return GenerativeModel::start(rows); }
  std::unique_ptr<DecoderState> start(const Batch& source) const override {
    return GenerativeModel::start(source);
  }
  Tensor next(const Array& ids, std::span<const int64_t> lengths, DecoderState& state) const override {
    return GenerativeModel::next(ids, lengths, state);
  }
};

const bool registered = [] {
  register_model<Apart>("gpt-apart");
  register_model<Forgetful<GPT>>("gpt-forgetful");
  register_model<Forgetful<Transformer>>("transformer-forgetful");
  return true;
}();

const GPTConfig small{.vocab_size = vocab, .block_size = 12, .n_layer = 2, .n_head = 2, .n_embd = 8};

}  // namespace

TEST_CASE("continuous generation: each text is what it is alone, whoever comes and goes beside it") {
  static_cast<void>(registered);
  SUBCASE("GPT") { check_as_alone(*made<GPT>(small)); }
  SUBCASE("a GPT whose states cannot be joined") { check_as_alone(*made<Apart>(small)); }
  SUBCASE("a GPT without a cache") { check_as_alone(*made<Forgetful<GPT>>(small)); }
  SUBCASE("Llama with windows") {
    check_as_alone(*made<Llama>(LlamaConfig{.vocab_size = vocab,
                                            .block_size = 12,
                                            .n_layer = 2,
                                            .n_head = 2,
                                            .n_kv_head = 1,
                                            .n_embd = 8,
                                            .window = 5,
                                            .window_pattern = "LG"}));
  }
  SUBCASE("LSTM") {
    check_as_alone(*made<RecurrentLM>(RecurrentLMConfig{.vocab_size = vocab, .n_layer = 2, .n_embd = 8}));
  }
  SUBCASE("Transformer") {
    check_as_alone(*made<Transformer>(
        TransformerConfig{.vocab_size = vocab, .block_size = 32, .n_layer = 2, .n_head = 2, .n_embd = 8}));
  }
  SUBCASE("a Transformer without a cache") {
    check_as_alone(*made<Forgetful<Transformer>>(
        TransformerConfig{.vocab_size = vocab, .block_size = 32, .n_layer = 1, .n_head = 2, .n_embd = 8}));
  }
  SUBCASE("T5") {
    check_as_alone(
        *made<T5>(T5Config{.vocab_size = vocab, .block_size = 32, .n_layer = 2, .n_head = 2, .n_embd = 8}));
  }
  SUBCASE("RecurrentTranslator") {
    check_as_alone(*made<RecurrentTranslator>(
        RecurrentTranslatorConfig{.vocab_size = vocab, .n_layer = 2, .n_embd = 8}));
  }
}

TEST_CASE("continuous generation: a text that is taken away changes nothing of the others") {
  const auto model = made<GPT>(small);
  ContinuousGeneration texts(*model);
  std::map<uint64_t, Tokens> written;
  const auto add = [&](Tokens prompt) { return texts.add({.prompt = std::move(prompt)}); };
  const auto step = [&] {
    texts.step(
        [&](const Drawn& drawn) {
          written[drawn.name].push_back(drawn.token);
          return true;
        },
        4);
  };
  const Tokens a = {1, 2, 3}, b = {4}, c = {5, 6, 7, 8, 9, 10, 11, 12, 13}, d = {14, 15};
  const uint64_t first = add(a), second = add(b), third = add(c);
  step();
  step();
  texts.remove(second);
  texts.remove(12345);
  const uint64_t fourth = add(d);
  const size_t begun = written[second].size();
  texts.remove(third);  // whose prompt was not read to its end
  for (int i = 0; i < 20; ++i) step();
  CHECK(texts.size() == 2);
  CHECK(written[second].size() == begun);
  CHECK(written[third].empty());
  CHECK(written[first] == generate(*model, a, {.tokens = std::ssize(written[first])}));
  CHECK(written[fourth] == generate(*model, d, {.tokens = std::ssize(written[fourth])}));
  CHECK(written[fourth].size() >= 18);
  texts.remove(first);
  texts.remove(fourth);
  CHECK(texts.size() == 0);
  step();
}

TEST_CASE(
    "continuous generation: logits are as the model said them, and may be adjusted before a token is drawn") {
  const auto model = made<GPT>(small);
  ContinuousGeneration texts(*model);
  const Tokens prompt = {3, 1, 4};
  std::vector<size_t> seen;
  texts.add({.prompt = prompt,
             .sampling = {.temperature = 0},
             .adjust = [&](std::span<float> logits, std::span<const int64_t> added) {
               seen.push_back(added.size());
               for (const int64_t id : added) CHECK(id == 7);
               logits[7] += 1000;
             }});
  for (int i = 0; i < 3; ++i)
    texts.step([&](const Drawn& drawn) {
      CHECK(drawn.token == 7);
      Tokens all = prompt;
      all.insert(all.end(), static_cast<size_t>(i), 7);
      const NoGrad no_grad;
      const Tensor whole = model->logits({Array::from(all, {1, std::ssize(all)}), {}});
      const auto from = whole.value().values<float>().subspan((all.size() - 1) * vocab, vocab);
      CHECK(std::equal(from.begin(), from.end(), drawn.logits.begin(), drawn.logits.end()));
      return true;
    });
  CHECK(seen == std::vector<size_t>{0, 1, 2});
}

TEST_CASE("continuous generation: what it does not take, and a text that fails alone") {
  const auto model = made<GPT>(small);
  ContinuousGeneration texts(*model);
  refuses<ValueError>([&] { texts.add({.prompt = {}}); }, {"generate", "empty"});
  refuses<ValueError>([&] { texts.add({.prompt = {1, 29}}); }, {"generate", "29"});
  refuses<ValueError>([&] { texts.add({.prompt = {-1}}); }, {"generate", "-1"});
  refuses<ValueError>([&] { texts.add({.prompt = {1}, .sampling = {.temperature = -1}}); }, {"temperature"});
  CHECK(texts.size() == 0);
  const uint64_t bad =
      texts.add({.prompt = {1}, .adjust = [](std::span<float> logits, auto) { logits[0] = NAN; }});
  const uint64_t good = texts.add({.prompt = {2}});
  Tokens written;
  for (int i = 0; i < 5; ++i)
    texts.step([&](const Drawn& drawn) {
      if (drawn.name == bad) {
        CHECK(drawn.error != nullptr);
        CHECK(drawn.token == -1);
        CHECK(i == 0);
      } else {
        CHECK(drawn.name == good);
        written.push_back(drawn.token);
      }
      return true;
    });
  CHECK(texts.size() == 1);
  CHECK(written == generate(*model, {2}, {.tokens = 5}));
}

}  // namespace weft::test
