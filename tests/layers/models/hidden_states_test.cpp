// hidden_states() of every model, and models whose weights are integers.
#include <doctest/doctest.h>
#include <weft/layers/models/gpt.h>
#include <weft/layers/models/llama.h>
#include <weft/layers/models/registry.h>
#include <weft/layers/models/speech.h>
#include <weft/layers/models/t5.h>
#include <weft/layers/models/transformer.h>
#include <weft/layers/quantize.h>
#include <weft/lib/array/random.h>

#include "checks.h"

namespace weft {

namespace {

constexpr int64_t vocab = 29;

std::unique_ptr<Model> small_model(const std::string& kind) {
  SettingValues given;
  const ModelEntry& entry = models().at(kind);
  for (const Setting& s : entry.settings) {
    if (s.name == "n_embd") given.set("n_embd", int64_t{64});
    if (s.name == "n_layer") given.set("n_layer", int64_t{2});
    if (s.name == "n_head") given.set("n_head", int64_t{4});
  }
  const TaskKind learns = entry.learns.front();
  const bool tells = learns == TaskKind::pictures || learns == TaskKind::sounds;
  DataShape data{.kind = learns, .vocab_size = vocab, .classes = tells ? 3 : 0};
  data.pad_id = 0, data.start_id = 0, data.end_id = 1;
  data.sizes.channels = 1, data.sizes.height = 8, data.sizes.width = 8, data.sizes.n_mels = 5;
  const RandomScope random({.seed = 1});
  std::unique_ptr<Model> model = entry.make(entry.settings_for(given, data));
  model->eval();
  return model;
}

Array token_ids(const Shape& shape) {
  return random_uniform(shape, 1, static_cast<double>(vocab), random_key(7, 7)).to(int64);
}

Array row_of(const Array& x, int64_t row, int64_t length) {
  return slice(slice(Tensor(x), 0, row, row + 1), 1, 0, length).value();
}

}  // namespace

TEST_CASE("hidden states: a row has the bits it has alone, at each layer") {
  const NoGrad no_grad;
  const std::vector<int64_t> lengths{9, 4, 1};
  for (const char* kind :
       {"gpt2", "llama", "best", "bert", "transformer", "t5", "lstm", "gru", "lstm-seq2seq"}) {
    CAPTURE(std::string(kind));
    const std::unique_ptr<Model> model = small_model(kind);
    const Array ids = token_ids({3, 9});
    REQUIRE(model->hidden_layers() >= 1);
    Array before;
    for (int64_t layer = 0; layer <= model->hidden_layers(); ++layer) {
      const HiddenStates all = model->hidden_states({ids, {}, lengths}, layer);
      CHECK(all.states.shape() == Shape{3, 9, 64});
      CHECK(all.lengths == lengths);
      for (int64_t b = 0; b < 3; ++b) {
        const int64_t length = lengths[static_cast<size_t>(b)];
        const Array alone =
            model->hidden_states({row_of(ids, b, length), {}, {length}}, layer).states.value();
        CHECK(alone.identical(row_of(all.states.value(), b, length)));
      }
      CHECK(!all.states.value().identical(layer == 0 ? Array::zeros({3, 9, 64}) : before));
      before = all.states.value();
    }
    test::refuses<ValueError>(
        [&] {
          model->hidden_states({ids, {}, lengths}, model->hidden_layers() + 1);
        },
        {kind == std::string("best") ? "llama" : kind, "layers 0 to"});
    CHECK_THROWS_AS(model->hidden_states({ids, {}, lengths}, -1), ValueError);
  }
}

TEST_CASE("hidden states: those of the last layer are what the head reads") {
  const NoGrad no_grad;
  const Array ids = token_ids({2, 7});
  const std::unique_ptr<Model> gpt = small_model("gpt2"), llama = small_model("llama"),
                               t5 = small_model("t5");
  CHECK(linear(gpt->hidden_states({ids, {}}, 2).states, dynamic_cast<GPT&>(*gpt).token_embedding.weight)
            .value()
            .identical(gpt->logits({ids, {}}).value()));
  const Llama& ours = dynamic_cast<Llama&>(*llama);
  CHECK(linear(llama->hidden_states({ids, {}}, 2).states,
               ours.output ? ours.output->weight : ours.token_embedding.weight)
            .value()
            .identical(llama->logits({ids, {}}).value()));
  CHECK(t5->hidden_states({ids, {}}, 2).states.value().identical(dynamic_cast<T5&>(*t5).encode(ids).value()));
}

TEST_CASE(
    "hidden states: of sounds there are as many as the encoder's frames, of pictures a class token first") {
  const NoGrad no_grad;
  const std::unique_ptr<Model> speech = small_model("speech"), vit = small_model("vit");
  const Array frames = random_normal({2, 13, 5}, 0, 1, random_key(3, 1), float32);
  for (int64_t layer = 0; layer <= 2; ++layer) {
    const HiddenStates heard = speech->hidden_states({frames, {}, {13, 6}}, layer);
    CHECK(heard.states.shape() == Shape{2, 7, 64});
    CHECK(heard.lengths == std::vector<int64_t>{7, 3});
    const HiddenStates alone = speech->hidden_states({row_of(frames, 1, 6), {}, {6}}, layer);
    CHECK(alone.states.value().identical(row_of(heard.states.value(), 1, 3)));
  }
  const HiddenStates seen =
      vit->hidden_states({random_normal({2, 1, 8, 8}, 0, 1, random_key(3, 2), float32), {}}, 2);
  CHECK(seen.states.shape() == Shape{2, 5, 64});
  CHECK(seen.lengths.empty());
}

TEST_CASE("int8: a model decodes with the bits of the full pass, whatever shares the batch") {
  const NoGrad no_grad;
  const Array ids = token_ids({3, 9});
  for (const char* kind : {"gpt2", "llama", "best"}) {
    CAPTURE(std::string(kind));
    const std::unique_ptr<Model> model = small_model(kind);
    const Array floats = model->logits({ids, {}}).value();
    quantize_weights(*model);
    const Tensor whole = model->logits({ids, {}});
    CHECK(!whole.value().identical(floats));
    CHECK(test::difference(whole.value(), floats, 0.05) == "");
    const GenerativeModel& writer = *as_writer(*model);
    const auto state = writer.start(3), alone = writer.start(1);
    for (int64_t t = 0; t < 9; ++t) {
      const Tensor read = slice(Tensor(ids), 1, t, t + 1),
                   expected = reshape(slice(whole, 1, t, t + 1), {3, vocab});
      CHECK(writer.next(read.value(), {}, *state).value().identical(expected.value()));
      CHECK(writer.next(slice(read, 0, 2, 3).value(), {}, *alone)
                .value()
                .identical(slice(expected, 0, 2, 3).value()));
    }
  }
}

TEST_CASE("int8: every model computes with it") {
  const NoGrad no_grad;
  const Array ids = token_ids({2, 9});
  for (const char* kind : {"bert", "transformer", "t5", "lstm", "lstm-seq2seq", "vit", "speech"}) {
    CAPTURE(std::string(kind));
    const std::unique_ptr<Model> model = small_model(kind);
    const Array inputs =
        kind == std::string("vit")      ? random_normal({2, 1, 8, 8}, 0, 1, random_key(3, 2), float32)
        : kind == std::string("speech") ? random_normal({2, 9, 5}, 0, 1, random_key(3, 2), float32)
                                        : ids;
    const Batch batch{inputs, ids};
    const Array floats = model->logits(batch).value();
    quantize_weights(*model);
    CHECK(test::difference(model->logits(batch).value(), floats, 0.1) == "");
  }
}

}  // namespace weft
