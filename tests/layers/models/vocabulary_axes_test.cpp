#include <doctest/doctest.h>
#include <weft/layers/embedding.h>
#include <weft/layers/linear.h>
#include <weft/layers/models/registry.h>
#include <weft/layers/models/vocabulary_axes.h>
#include <weft/lib/machine/memory.h>

#include <map>
#include <string>

namespace weft::test {
namespace {

using Axes = std::map<std::string, int>;

/// A model of a user's, with names, axes and sizes of its own.
struct OddConfig {
  int64_t vocab_size = 8, n_embd = 8;
  static const Settings<OddConfig>& settings() {
    using C = OddConfig;
    static const Settings<C> all = {Field(&C::vocab_size, "vocab_size", 1, 1 << 24).from_data().required(),
                                    Field(&C::n_embd, "n_embd", 1, 1024)};
    return all;
  }
};
class Odd : public GenerativeModel {
 public:
  using Config = OddConfig;
  explicit Odd(const OddConfig& c)
      : config(c),
        padded(child<Embedding>("padded", (c.vocab_size + 63) / 64 * 64, c.n_embd)),
        square(child<Linear>("square", c.n_embd, c.n_embd)),
        columns(parameter("columns", {c.n_embd, c.vocab_size}, init::zeros())) {}
  Tensor logits(const Batch& batch) const override { return matmul(square(padded(batch.inputs)), columns); }
  const OddConfig config;
  Embedding& padded;
  Linear& square;
  Tensor columns;
};

Axes axes(const std::string& kind, const SettingValues& given, int64_t vocab_size) {
  const ModelEntry& entry = models().at(kind);
  return vocabulary_axes(kind, entry.settings_for(given, {.kind = entry.learns[0],
                                                          .vocab_size = vocab_size,
                                                          .classes = 0,
                                                          .pad_id = 0,
                                                          .start_id = 1,
                                                          .end_id = 2,
                                                          .sizes = {.longest_input = 8}}));
}

}  // namespace

TEST_CASE("vocabulary axes: each model's tables, outputs and biases, whatever else has as many entries") {
  const Axes tied = {{"token_embedding.weight", 0}};
  for (const int64_t vocab_size : {5, 64, 65, 1000}) {  // 64 is a width too
    CAPTURE(vocab_size);
    const SettingValues small = {{"n_embd", int64_t{64}}, {"n_layer", int64_t{1}}};
    for (const char* kind : {"gpt2", "llama", "transformer", "t5", "lstm", "gru", "lstm-seq2seq"})
      CHECK_MESSAGE(axes(kind, small, vocab_size) == tied, kind);
    SettingValues untied = small;
    untied.set("tie_embeddings", false);
    CHECK(axes("llama", untied, vocab_size) == Axes{{"token_embedding.weight", 0}, {"output.weight", 0}});
    CHECK(axes("t5", untied, vocab_size) == Axes{{"token_embedding.weight", 0}, {"output.weight", 0}});
    CHECK(axes("lstm", untied, vocab_size) == Axes{{"token_embedding.weight", 0}, {"head.weight", 0}});
    CHECK(axes("bert", small, vocab_size) == Axes{{"token_embedding.weight", 0}, {"head.bias", 0}});
  }
}

TEST_CASE("vocabulary axes: a model of one's own needs to say nothing") {
  register_model<Odd>("odd-vocabulary");
  CHECK(axes("odd-vocabulary", {}, 8) == Axes{{"padded.weight", -1}, {"columns", 1}});
  StateDict without;
  without.set("n_embd", 8);
  CHECK(vocabulary_axes("odd-vocabulary", without).empty());
}

TEST_CASE("vocabulary axes: a large model is looked at without its memory") {
  const MemoryStats before = memory_stats();
  const SettingValues large = {{"n_embd", int64_t{4096}}, {"n_layer", int64_t{8}}, {"n_head", int64_t{32}}};
  CHECK(axes("gpt2", large, 50257).size() == 1);
  CHECK(memory_stats().in_use == before.in_use);
  CHECK(memory_stats().peak == before.peak);
}

}  // namespace weft::test
