// T5: an encoder-decoder with relative positions for text-to-text tasks (Raffel et al. 2020), in its first
// form and as version 1.1.
#pragma once

#include <weft/layers/containers.h>
#include <weft/layers/embedding.h>
#include <weft/layers/models/decoding/key_value_state.h>
#include <weft/layers/relative_position_bias.h>
#include <weft/layers/transformer.h>
#include <weft/lib/settings/settings.h>

#include <vector>

namespace weft {

struct T5Config {
  int64_t vocab_size = 0;
  int64_t block_size = 512;     ///< longest sequence, in tokens; no weight depends on it
  int64_t n_layer = 4;          ///< of the encoder
  int64_t n_decoder_layer = 0;  ///< 0: n_layer
  int64_t n_head = 4;
  int64_t n_embd = 128;
  int64_t head_width = 0;  ///< 0: n_embd / n_head
  int64_t n_inner = 0;  ///< width of the feed-forward layers; 0: 4 n_embd, or with a gate 8 n_embd / 3, up to
                        ///< a multiple of 8
  int64_t n_bucket = 32;  ///< of relative positions
  int64_t max_distance = 128;
  int64_t start_id = 0;  ///< what an answer begins with, and what stands for targets that are ignored
  double rms_norm_eps = 1e-6;
  double dropout = 0.0;  ///< of embeddings, weights, hidden layers, sublayers and both stacks' results
  bool gated = true;     ///< version 1.1: down(gelu(gate x) * up x), tanh form; without: down(relu(up x))
  bool tie_embeddings = true;  ///< the output layer is the token embedding's weight
  bool scale_output = true;    ///< what it is given is divided by sqrt(n_embd), as the first version does

  /// ValueError that names the first value out of range.
  void check() const;
  StateDict state() const;
  static T5Config from_state(const StateDict& state);
  static const Settings<T5Config>& settings();
};

/// token_embedding, dropout, encoder.position_bias, encoder.blocks.0 .., encoder.norm, decoder.position_bias,
/// decoder.blocks.0 .., decoder.norm, and output unless tied; RMS norms before each sublayer and at the end,
/// scores of attention that are not scaled, no biases. First values as transformers gives them: embeddings
/// normal(0, 1), queries normal(0, 1 / sqrt(C D)), other matrices normal(0, 1 / sqrt(inputs)), relative
/// positions normal(0, 1 / sqrt(C)).
class T5 : public GenerativeModel {
 public:
  using Config = T5Config;
  static std::vector<TaskKind> learns() { return {TaskKind::pairs}; }
  explicit T5(const T5Config& config);

  /// Reads inputs (B, S), of which lengths count, and start_id followed by all but the last of targets (B, T)
  /// -> (B, T, V).
  Tensor logits(const Batch& batch) const override;
  /// ids (B, S), of which lengths[b] count (empty: all) -> the memory (B, S, C).
  Tensor encode(const Array& ids, const std::vector<int64_t>& lengths = {}) const;
  int64_t hidden_layers() const override { return config.n_layer; }
  HiddenStates hidden_states(const Batch& batch, int64_t layer) const override;
  /// ids (B, T), start_id among them, and the memory of what they answer -> (B, T, V).
  Tensor decode(const Array& ids, const Tensor& memory, const std::vector<int64_t>& lengths = {}) const;

  bool has_encoder() const override { return true; }
  using GenerativeModel::start;
  std::unique_ptr<DecoderState> start(const Batch& source) const override;
  Tensor next(const Array& ids, std::span<const int64_t> lengths, DecoderState& state) const override;

  const T5Config config;
  Embedding& token_embedding;
  Dropout& dropout;
  RelativePositionBias& encoder_position_bias;
  ModuleList<EncoderBlock>& encoder_blocks;
  RMSNorm& encoder_norm;
  RelativePositionBias& decoder_position_bias;
  ModuleList<DecoderBlock>& decoder_blocks;
  RMSNorm& decoder_norm;
  Linear* const output;  ///< null when tied

 private:
  /// What the encoder's first `count` blocks make of ids; of all of them, behind the norm.
  Tensor encode_by(int64_t count, const Array& ids, const std::vector<int64_t>& lengths) const;
  Tensor head(const Tensor& x) const;
};

}  // namespace weft
