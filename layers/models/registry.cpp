#include <weft/layers/models/bert.h>
#include <weft/layers/models/gpt.h>
#include <weft/layers/models/llama.h>
#include <weft/layers/models/recurrent_lm.h>
#include <weft/layers/models/recurrent_translator.h>
#include <weft/layers/models/registry.h>
#include <weft/layers/models/t5.h>
#include <weft/layers/models/transformer.h>
#include <weft/layers/models/vit.h>

namespace weft {

namespace {

struct Row {
  const char* kind;
  std::unique_ptr<Model> (*make)(const StateDict& config);
};

template <class M, class Config>
std::unique_ptr<Model> make(const StateDict& config) {
  return std::make_unique<M>(Config::from_state(config));
}

constexpr Row rows[] = {
    {"gpt2", make<GPT, GPTConfig>},
    {"llama", make<Llama, LlamaConfig>},
    {"bert", make<BERT, BERTConfig>},
    {"transformer", make<Transformer, TransformerConfig>},
    {"t5", make<T5, T5Config>},
    {"vit", make<ViT, ViTConfig>},
    {"lstm", make<RecurrentLM, RecurrentLMConfig>},
    {"gru", make<RecurrentLM, RecurrentLMConfig>},
    {"lstm-seq2seq", make<RecurrentTranslator, RecurrentTranslatorConfig>},
};

}  // namespace

std::vector<std::string> model_kinds() {
  std::vector<std::string> kinds;
  for (const Row& row : rows) kinds.emplace_back(row.kind);
  return kinds;
}

std::unique_ptr<Model> make_model(const std::string& kind, const StateDict& config) {
  std::string known;
  for (const Row& row : rows) {
    if (kind == row.kind) return row.make(config);
    known += str(known.empty() ? "" : ", ", row.kind);
  }
  fail<ValueError>("there is no model '", kind, "'; there are ", known);
}

}  // namespace weft
