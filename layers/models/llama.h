// Llama: a decoder-only transformer with RMS norm, rotary positions and SwiGLU (Touvron et al. 2023), and
// heads that share keys and values (Llama 2).
#pragma once

#include <weft/layers/containers.h>
#include <weft/layers/embedding.h>
#include <weft/layers/models/decoding/key_value_state.h>
#include <weft/layers/transformer.h>
#include <weft/lib/settings/settings.h>

#include <vector>

namespace weft {

struct LlamaConfig {
  int64_t vocab_size = 0;
  int64_t block_size = 64;  ///< longest context, in tokens; no weight depends on it
  int64_t n_layer = 4;
  int64_t n_head = 4;
  int64_t n_kv_head = 0;  ///< heads of keys and values, a divisor of n_head; 0: n_head
  int64_t n_embd = 128;
  int64_t head_width = 0;  ///< 0: n_embd / n_head
  int64_t n_inner = 0;     ///< width of the feed-forward layers; 0: 8 n_embd / 3, up to a multiple of 8
  int64_t window = 0;      ///< > 0: a token attends to so many last ones (Mistral); 0: to all before it
  double rope_base = 10000.0;
  double rms_norm_eps = 1e-6;
  double dropout = 0.0;         ///< of embeddings, attention weights and each sublayer's result
  bool tie_embeddings = false;  ///< the output layer is the token embedding's weight

  /// ValueError that names the first value out of range.
  void check() const;
  StateDict state() const;
  static LlamaConfig from_state(const StateDict& state);
  static const Settings<LlamaConfig>& settings();
};

/// token_embedding, dropout, blocks.0 .. n_layer - 1 (pre-norm), norm, and output unless tied; no biases.
/// First values: normal(0, 0.02), the last layer of each residual branch normal(0, 0.02 / sqrt(2 n_layer)).
class Llama : public Layer<Llama, GenerativeModel> {
 public:
  using Config = LlamaConfig;
  explicit Llama(const LlamaConfig& config);

  /// ids (B, T), T at most block_size, of which lengths[b] count (empty: all), with documents (Batch::documents) that
  /// share rows -> logits (B, T, V).
  Tensor forward(const Array& ids, const std::vector<int64_t>& lengths = {},
                 const DocumentBegins& documents = {}) const;
  Tensor logits(const Batch& batch) const override {
    return (*this)(batch.inputs, batch.lengths, batch.documents);
  }
  bool takes_documents() const override { return true; }

  std::unique_ptr<DecoderState> start(int64_t rows) const override;
  Tensor next(const Array& ids, std::span<const int64_t> lengths, DecoderState& state) const override;

  const LlamaConfig config;
  Embedding& token_embedding;
  Dropout& dropout;
  ModuleList<EncoderBlock>& blocks;
  RMSNorm& norm;
  Linear* const output;  ///< null when tied

 private:
  Tensor head(const Tensor& x) const;
};

}  // namespace weft
