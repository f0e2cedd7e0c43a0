// Llama: a decoder-only transformer with RMS norm, rotary positions and SwiGLU (Touvron et al. 2023), and
// heads that share keys and values (Llama 2); and, each a setting of its own, what small models of later years added.
// Sources: Qwen3 (qk_norm), Gemma 2 (logit_softcap), Llama 3.1 (rope_scaling), Primer (relu2); the speed-runs of
// modded-nanoGPT (Jordan et al. 2024) and nanochat (Karpathy 2025) for the rest.
#pragma once

#include <weft/layers/containers.h>
#include <weft/layers/embedding.h>
#include <weft/layers/models/decoding/key_value_state.h>
#include <weft/layers/models/llama_block.h>
#include <weft/lib/settings/settings.h>

#include <string>
#include <vector>

namespace weft {

/// Which blocks have value embeddings: every second one with the last among them, as nanochat, or all.
enum class ValueEmbeddings { none, alternate, all };

struct LlamaConfig {
  int64_t vocab_size = 0;
  int64_t block_size = 64;  ///< longest context, in tokens; no weight depends on it
  int64_t n_layer = 4;
  int64_t n_head = 4;
  int64_t n_kv_head = 0;  ///< heads of keys and values, a divisor of n_head; 0: n_head
  int64_t n_embd = 128;
  int64_t head_width = 0;  ///< 0: n_embd / n_head
  int64_t n_inner =
      0;               ///< width of the feed-forward layers; 0: 8 n_embd / 3, up to a multiple of 8, and with
                       ///< relu2 4 n_embd
  int64_t window = 0;  ///< > 0: a token attends to so many last ones (Mistral); 0: to all before it
  /// Which blocks the window holds for, a letter each and again from the first: L, local, the window; G, global, none.
  /// "LLLG": every fourth block sees all. Empty: all L.
  std::string window_pattern = "";
  double rope_base = 10000.0;
  /// Slows rotary positions down for longer contexts; names and formulas are Hugging Face's: RotaryFrequencies.
  RotaryFrequencies::Scaling rope_scaling = RotaryFrequencies::Scaling::none;
  double rope_factor = 1.0;           ///< of linear and llama3
  double rope_low_freq_factor = 1.0;  ///< of llama3, as the next two
  double rope_high_freq_factor = 4.0;
  int64_t rope_original_context = 8192;
  double rms_norm_eps = 1e-6;
  double dropout = 0.0;         ///< of embeddings, attention weights and each sublayer's result
  bool tie_embeddings = false;  ///< the output layer is the token embedding's weight
  /// silu: SwiGLU, down(silu(gate(x)) up(x)). relu2: no gate, down(max(up(x), 0)^2).
  Activation activation = Activation::silu;
  bool qk_norm = false;        ///< RMS norm of each head of queries and keys, before their positions
  double logit_softcap = 0.0;  ///< > 0, c: logits y of tokens become c tanh(y / c)
  /// Blocks with a table (vocab_size, G D) of their own, of which each token's row joins its values through a gate that
  /// reads the first 32 channels: MultiHeadAttentionOptions::value_gate.
  ValueEmbeddings value_embeddings = ValueEmbeddings::none;
  bool embedding_norm = false;  ///< RMS norm, without weights, behind the token embedding
  bool residual_mix = false;    ///< each block reads carry x + recall x0: LlamaBlockOptions
  bool zero_init = false;       ///< attention.output, feed_forward.down and an untied output begin as zeros
  int64_t n_class = 0;          ///< classes of a text, told by its last token; 0: it writes

  /// ValueError that names the first value out of range.
  void check() const;
  StateDict state() const;
  static LlamaConfig from_state(const StateDict& state);
  static const Settings<LlamaConfig>& settings();
};

/// token_embedding, dropout, blocks.0 .. n_layer - 1 (LlamaBlock, pre-norm), norm, and output unless tied; no biases. With
/// classes there is no output but classifier, a Linear on the last token that counts, without cap
/// (transformers' LlamaForSequenceClassification, where it is called score).
/// First values: normal(0, 0.02), the last layer of each residual branch normal(0, 0.02 / sqrt(2 n_layer)).
class Llama : public Layer<Llama, GenerativeModel> {
 public:
  using Config = LlamaConfig;
  static std::vector<TaskKind> learns() { return {TaskKind::language, TaskKind::classification}; }
  explicit Llama(const LlamaConfig& config);

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

  const LlamaConfig config;
  Embedding& token_embedding;
  Dropout& dropout;
  ModuleList<LlamaBlock>& blocks;
  RMSNorm& norm;
  Linear* const output;      ///< null when tied, and with classes
  Linear* const classifier;  ///< null without classes

 private:
  /// What block 0 reads of tokens.
  Tensor embedded(const Array& ids) const;
  /// What the first `count` blocks make of ids, before the norm.
  Tensor through_blocks(int64_t count, const Array& ids, const std::vector<int64_t>& lengths,
                        const DocumentBegins& documents) const;
  Tensor head(const Tensor& x) const;
};

}  // namespace weft
