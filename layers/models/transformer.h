// The Transformer: an encoder that reads a sequence and a decoder that answers it (Vaswani et al. 2017).
#pragma once

#include <weft/layers/models/text_decoder.h>
#include <weft/lib/settings/settings.h>

#include <memory>
#include <vector>

namespace weft {

struct TransformerConfig {
  int64_t vocab_size = 0;    ///< one vocabulary for what is read and what is written
  int64_t block_size = 512;  ///< longest sequence, in tokens; no weight depends on it
  int64_t n_layer = 2;       ///< of the encoder, and as many of the decoder
  int64_t n_head = 4;
  int64_t n_embd = 128;
  int64_t n_inner = 0;   ///< width of the feed-forward layers; 0: 4 n_embd
  int64_t start_id = 0;  ///< what an answer begins with
  bool pre_norm =
      false;  ///< norms before each sublayer and after the last block, instead of post-norm as published
  double dropout = 0.0;  ///< of embeddings, attention weights and each sublayer's result
  double layer_norm_eps = 1e-5;

  /// ValueError that names the first value out of range.
  void check() const;
  StateDict state() const;
  static TransformerConfig from_state(const StateDict& state);
  static const Settings<TransformerConfig>& settings();
};

/// token_embedding, position_encoding, dropout, encoder.blocks.0 .. and decoder.blocks.0 .. n_layer - 1
/// (ReLU), and with pre_norm encoder.norm and decoder.norm. The input of both sides is sqrt(C)
/// token_embedding + sinusoidal positions (sections 3.4 and 3.5); the output layer is the token embedding's
/// weight. First values: the embedding normal(0, 1 / sqrt(C)), the other matrices Xavier-uniform, biases 0,
/// as in tensor2tensor.
class Transformer : public GenerativeModel {
 public:
  using Config = TransformerConfig;
  static std::vector<TaskKind> learns() { return {TaskKind::pairs}; }
  explicit Transformer(const TransformerConfig& config);

  /// Reads inputs (B, S), of which lengths count, and start_id followed by all but the last of targets (B, T)
  /// -> (B, T, V). In place of targets that are ignored it reads start_id.
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

  const TransformerConfig config;
  Embedding& token_embedding;
  SinusoidalPositionalEncoding& position_encoding;
  Dropout& dropout;
  ModuleList<EncoderBlock>& encoder_blocks;
  LayerNorm* const encoder_norm;  ///< null with post-norm
  ModuleList<DecoderBlock>& decoder_blocks;
  LayerNorm* const decoder_norm;  ///< null with post-norm

 private:
  /// What the encoder's first `count` blocks make of ids; of all of them, behind the norm.
  Tensor encode_by(int64_t count, const Array& ids, const std::vector<int64_t>& lengths) const;
  TextDecoder decoder() const;
};

}  // namespace weft
