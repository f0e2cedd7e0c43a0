// BERT: an encoder that reads in both directions (Devlin et al. 2019, section 3), with a head that fills in
// masked tokens or one that tells the class of a text.
#pragma once

#include <weft/layers/containers.h>
#include <weft/layers/embedding.h>
#include <weft/layers/models/model.h>
#include <weft/layers/positional_encoding.h>
#include <weft/layers/transformer.h>
#include <weft/lib/settings/settings.h>

#include <vector>

namespace weft {

struct BERTConfig {
  int64_t vocab_size = 0;
  int64_t block_size = 128;  ///< longest text, in tokens
  int64_t n_layer = 4;
  int64_t n_head = 4;
  int64_t n_embd = 128;
  int64_t n_inner = 0;  ///< width of the feed-forward layers; 0: 4 n_embd
  int64_t n_class = 0;  ///< classes of a text; 0: the head for masked tokens
  int64_t n_type = 2;   ///< segments that a text may have
  /// The id that ends a segment, [SEP]: a token's segment is how many of them stand before it, n_type - 1 at
  /// most. -1: all is segment 0.
  int64_t separator = -1;
  double dropout = 0.0;  ///< of embeddings, attention weights, each sublayer's result, and what is classified
  double layer_norm_eps = 1e-12;

  /// ValueError that names the first value out of range.
  void check() const;
  StateDict state() const;
  static BERTConfig from_state(const StateDict& state);
  static const Settings<BERTConfig>& settings();
};

/// What a masked token was: norm(gelu(dense(x))) against the token embeddings, plus a bias for each token.
/// Children: dense, norm. Parameter: bias (V).
class MaskedTokenHead : public Layer<MaskedTokenHead> {
 public:
  MaskedTokenHead(int64_t width, int64_t vocab_size, const LinearOptions& dense,
                  const LayerNormOptions& norm);
  /// x (..., C), embeddings (V, C) -> (..., V).
  Tensor forward(const Tensor& x, const Tensor& embeddings) const;

  Linear& dense;
  LayerNorm& norm;
  Parameter bias;
};

/// classifier(dropout(tanh(pooler(first token)))).
class PooledHead : public Layer<PooledHead> {
 public:
  PooledHead(int64_t width, int64_t classes, double dropout, const LinearOptions& options);
  /// x (B, T, C), T at least 1 -> (B, classes).
  Tensor forward(const Tensor& x) const;

  Linear &pooler, &classifier;
  Dropout& dropout;
};

/// token_embedding, position_embedding, type_embedding, embedding_norm, dropout, blocks.0 .. n_layer - 1
/// (post-norm), and head, a MaskedTokenHead or a PooledHead. First values:
/// init::normal_by_width(n_embd), biases 0. To fine-tune, load_matching() of a pretrained state: all but the
/// head has the same names and shapes.
class BERT : public Model {
 public:
  using Config = BERTConfig;
  static std::vector<TaskKind> learns() { return {TaskKind::masked, TaskKind::classification}; }
  explicit BERT(const BERTConfig& config);
  /// inputs (B, T), T at most block_size -> (B, T, V), or (B, n_class).
  Tensor logits(const Batch& batch) const override;
  /// Of masked tokens, logits are made for those alone that are to be found.
  Loss loss(const Batch& batch) const override;
  /// ids (B, T), of which lengths[b] count (empty: all) -> what the encoder makes of them (B, T, C).
  Tensor encode(const Array& ids, const std::vector<int64_t>& lengths = {}) const;
  int64_t hidden_layers() const override { return config.n_layer; }
  HiddenStates hidden_states(const Batch& batch, int64_t layer) const override;

  const BERTConfig config;
  Embedding& token_embedding;
  LearnedPositionalEncoding& position_embedding;
  Embedding& type_embedding;
  LayerNorm& embedding_norm;
  Dropout& dropout;
  ModuleList<EncoderBlock>& blocks;
  MaskedTokenHead* const masked_head;  ///< null with n_class above 0
  PooledHead* const pooled_head;       ///< null with n_class 0

 private:
  Tensor through_blocks(int64_t count, const Array& ids, const std::vector<int64_t>& lengths) const;
  Array segments(const Array& ids) const;
};

}  // namespace weft
