#include <doctest/doctest.h>
#include <weft/layers/models/decoding/generation.h>
#include <weft/layers/models/speech.h>
#include <weft/lib/array/random.h>

#include "decoding.h"
#include "model_reference.h"

namespace weft::test {

namespace {

SpeechConfig small_speech(SpeechHead head) {
  return {.n_mels = 6,
          .vocab_size = 9,
          .pad_id = 0,
          .start_id = 1,
          .end_id = 2,
          .head = head,
          .block_size = 12,
          .n_layer = 2,
          .n_head = 2,
          .n_embd = 16};
}

SpeechConfig of_classes() { return {.n_mels = 6, .n_class = 4, .n_layer = 2, .n_head = 2, .n_embd = 16}; }

/// Zeros behind the lengths.
Batch sounds(const std::vector<int64_t>& lengths, uint64_t seed = 5) {
  const int64_t B = std::ssize(lengths), T = *std::ranges::max_element(lengths), M = 6;
  Batch batch{random_uniform({B, T, M}, -1, 1, random_key(seed, 5), float32), {}, lengths};
  for (int64_t b = 0; b < B; ++b)
    for (int64_t i = lengths[static_cast<size_t>(b)] * M; i < T * M; ++i)
      batch.inputs.mutable_data<float>()[b * T * M + i] = 0;
  return batch;
}

Array texts() { return Array::from<int64_t>({3, 4, 2, 5, 2, -100, 6, 7, 2}, {3, 3}); }

Batch alone(const Batch& all, int64_t row) {
  const int64_t length = all.lengths[static_cast<size_t>(row)];
  return {slice(slice(Tensor(all.inputs), 0, row, row + 1), 1, 0, length).value(), {}};
}

}  // namespace

TEST_CASE("speech: logits, loss and every gradient equal PyTorch's, of each head") {
  const StateDict file = model_file("speech.h5");
  for (const char* name : {"classes", "ctc", "ctc of every frame", "decoder"}) {
    CAPTURE(std::string(name));
    check_model<Speech, SpeechConfig>(file.dict(name));
  }
}

TEST_CASE("speech: a sound in a batch has the bits of the sound alone") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  const Batch all = sounds({17, 9, 12});
  const Speech tells(of_classes()), ctc(small_speech(SpeechHead::ctc));
  const Array classes = tells.logits(all).value(), frames = ctc.logits(all).value();
  for (int64_t row = 0; row < 3; ++row) {
    CAPTURE(row);
    const Batch one = alone(all, row);
    CHECK(tells.logits(one).value().identical(slice(Tensor(classes), 0, row, row + 1).value()));
    const int64_t count = ctc.encoded(all.lengths[static_cast<size_t>(row)]);
    CHECK(ctc.logits(one).value().identical(
        slice(slice(Tensor(frames), 0, row, row + 1), 1, 0, count).value()));
  }
  // What lies behind a length is as if it were not there.
  Batch noisy = all;
  noisy.inputs = all.inputs.copy();
  noisy.inputs.mutable_data<float>()[1 * 17 * 6 + 9 * 6 + 1] = 3;
  CHECK(tells.logits(noisy).value().identical(classes));
}

TEST_CASE(
    "speech: gradients of micro-batches are those of the whole batch, bit for bit, dropout and depth on") {
  const RandomScope random({.seed = 1});
  for (SpeechConfig config :
       {of_classes(), small_speech(SpeechHead::ctc), small_speech(SpeechHead::decoder)}) {
    config.dropout = 0.1;
    config.drop_path = 0.3;
    Speech model(config);
    Batch batch = sounds({17, 9, 12});
    batch.targets = config.n_class > 0 ? some_ids({3}, 4) : texts();
    check_micro_batches(model, batch);
  }
}

TEST_CASE("speech: writing with a cache gives the bits of the whole pass, and what each sound gives alone") {
  const RandomScope random({.seed = 3});
  Speech model(small_speech(SpeechHead::decoder));
  model.eval();
  const NoGrad no_grad;
  const Batch all = sounds({17, 9, 12});
  const auto state = model.start(all);
  Batch whole = all;
  whole.targets = texts();
  const Array logits = model.logits(whole).value();
  const Array first = model.next(Array::from<int64_t>({1, 1, 1}, {3, 1}), {}, *state).value();
  CHECK(first.identical(slice(Tensor(logits), 1, 0, 1).value().reshape({3, 9})));
  const auto together = model.transcribe(all, {.beams = 2});
  REQUIRE(together.size() == 3);
  for (int64_t row = 0; row < 3; ++row) {
    const auto one = model.transcribe(alone(all, row), {.beams = 2});
    CHECK(one[0].ids == together[static_cast<size_t>(row)].ids);
    CHECK(one[0].score == together[static_cast<size_t>(row)].score);
    CHECK(one[0].spans == together[static_cast<size_t>(row)].spans);
  }
}

TEST_CASE("speech: times of what is said lie in the sound, one after another") {
  const RandomScope random({.seed = 4});
  Speech model(small_speech(SpeechHead::ctc));
  model.eval();
  const Batch all = sounds({40, 31});
  for (const int64_t beams : {1, 4}) {
    const auto found = model.transcribe(all, {.beams = beams});
    for (size_t row = 0; row < found.size(); ++row) {
      REQUIRE(!found[row].ids.empty());
      REQUIRE(found[row].spans.size() == found[row].ids.size());
      int64_t before = 0;
      for (const CtcSpan& span : found[row].spans) {
        CHECK(span.begin >= before);
        CHECK(span.end > span.begin);
        CHECK(span.end <= all.lengths[row] + 1);
        before = span.end;
      }
    }
  }
}

TEST_CASE("speech: what no alignment can say takes no part in the loss") {
  const RandomScope random({.seed = 1});
  const Speech model(small_speech(SpeechHead::ctc));
  Batch batch = sounds({4, 17});
  batch.targets = Array::from<int64_t>({3, 4, 3, 2, 3, 4, 3, 2}, {2, 4});  // two frames for three labels
  const Loss loss = model.loss(batch);
  CHECK(loss.count == 3);
  CHECK(loss.rows.data<double>()[0] == 0);
}

TEST_CASE("speech: configurations survive their state, and those out of range are refused by name") {
  SpeechConfig config = small_speech(SpeechHead::decoder);
  config.subsampling = 4;
  CHECK(identical(SpeechConfig::from_state(config.state()).state(), config.state()));
  config.subsampling = 3;
  CHECK_THROWS_WITH_AS(Speech{config}, "Speech: subsampling = 3 is none of 1, 2 and 4", ValueError);
  SpeechConfig nothing = small_speech(SpeechHead::ctc);
  nothing.vocab_size = 0;
  CHECK_THROWS_WITH_AS(Speech{nothing},
                       "Speech: n_class and vocab_size are 0: one of them tells what it says", ValueError);
  SpeechConfig odd = of_classes();
  odd.n_embd = 6;
  CHECK_THROWS_AS(Speech{odd}, ValueError);
  SpeechConfig beyond = small_speech(SpeechHead::ctc);
  beyond.end_id = 9;
  CHECK_THROWS_AS(Speech{beyond}, ValueError);
  const RandomScope random({.seed = 1});
  const Speech model(of_classes());
  CHECK_THROWS_WITH_AS(model.encode(Array::zeros({1, 3, 5})), "Speech: frames are (1, 3, 5): needs (B, T, 6)",
                       ShapeError);
  CHECK_THROWS_AS(static_cast<void>(model.transcribe(sounds({4}), {})), ValueError);
}

}  // namespace weft::test
