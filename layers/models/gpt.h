// GPT: a decoder-only transformer (Radford et al. 2019, GPT-2; the layout of nanoGPT).
#pragma once

#include <weft/layers/containers.h>
#include <weft/layers/embedding.h>
#include <weft/layers/linear.h>
#include <weft/layers/models/decoding/key_value_state.h>
#include <weft/layers/positional_encoding.h>
#include <weft/layers/transformer.h>
#include <weft/lib/settings/settings.h>

#include <vector>

namespace weft {

/// Names and meanings are nanoGPT's.
struct GPTConfig {
  int64_t vocab_size = 0;
  int64_t block_size = 64;  ///< longest context, in tokens
  int64_t n_layer = 4;
  int64_t n_head = 4;
  int64_t n_embd = 128;
  double dropout = 0.0;    ///< of embeddings, attention weights and each sublayer's result
  bool bias = false;       ///< in linear layers and norms
  bool gelu_tanh = false;  ///< the tanh form of GELU, as GPT-2 was trained with, instead of the exact one
  int64_t n_class = 0;     ///< classes of a text, told by its last token; 0: it writes

  /// ValueError that names the first value out of range.
  void check() const;
  StateDict state() const;
  static GPTConfig from_state(const StateDict& state);
  static const Settings<GPTConfig>& settings();
};

/// token_embedding, position_embedding, dropout, blocks.0 .. n_layer - 1 (pre-norm), norm; the output layer
/// is the token embedding's weight (Press and Wolf 2017). With classes it is instead classifier, a Linear without bias on
/// the last token that counts (transformers' GPT2ForSequenceClassification, where it is called score). First values:
/// normal(0, 0.02), biases 0, the last layer of each residual branch normal(0, 0.02 / sqrt(2 n_layer)).
class GPT : public Layer<GPT, GenerativeModel> {
 public:
  using Config = GPTConfig;
  static std::vector<TaskKind> learns() { return {TaskKind::language, TaskKind::classification}; }
  explicit GPT(const GPTConfig& config);

  /// ids (B, T), T at most block_size, of which lengths[b] count (empty: all), with documents (Batch::documents) that
  /// share rows -> logits (B, T, V); with classes (B, n_class), and no documents.
  Tensor forward(const Array& ids, const std::vector<int64_t>& lengths = {},
                 const DocumentBegins& documents = {}) const;
  Tensor logits(const Batch& batch) const override {
    return (*this)(batch.inputs, batch.lengths, batch.documents);
  }
  bool takes_documents() const override { return writes(); }
  bool writes() const override { return config.n_class == 0; }
  int64_t hidden_layers() const override { return config.n_layer; }
  HiddenStates hidden_states(const Batch& batch, int64_t layer) const override;

  std::unique_ptr<DecoderState> start(int64_t rows) const override;
  Tensor next(const Array& ids, std::span<const int64_t> lengths, DecoderState& state) const override;

  const GPTConfig config;
  Embedding& token_embedding;
  LearnedPositionalEncoding& position_embedding;
  Dropout& dropout;
  ModuleList<EncoderBlock>& blocks;
  LayerNorm& norm;
  Linear* const classifier;  ///< null without classes

 private:
  /// What the first `count` blocks make of ids, before the norm.
  Tensor through_blocks(int64_t count, const Array& ids, const std::vector<int64_t>& lengths,
                        const DocumentBegins& documents) const;
};

}  // namespace weft
