// ViT: an encoder that reads a picture as a sequence of patches (Dosovitskiy et al. 2021, equations 1 to 4),
// with a head that tells the class of the picture or one that tells that of each patch.
#pragma once

#include <weft/layers/containers.h>
#include <weft/layers/embedding.h>
#include <weft/layers/models/model.h>
#include <weft/layers/patch_embedding.h>
#include <weft/layers/positional_encoding.h>
#include <weft/layers/transformer.h>
#include <weft/lib/settings/settings.h>

#include <vector>

namespace weft {

struct ViTConfig {
  int64_t image_size = 32;  ///< height and width of the pictures
  int64_t patch_size = 4;   ///< of the patches; divides image_size
  int64_t n_channel = 3;
  int64_t n_class = 0;
  bool segmentation = false;  ///< a class a patch instead of one a picture
  int64_t n_layer = 4;
  int64_t n_head = 4;
  int64_t n_embd = 128;
  int64_t n_inner = 0;     ///< width of the feed-forward layers; 0: 4 n_embd
  double dropout = 0.0;    ///< of embeddings, attention weights and each sublayer's result
  double drop_path = 0.0;  ///< of the last block's sublayers; grows evenly from 0, that of the first
  double layer_norm_eps = 1e-12;

  /// P, the patches of a picture.
  int64_t patches() const { return (image_size / patch_size) * (image_size / patch_size); }
  /// ValueError that names the first value out of range.
  void check() const;
  StateDict state() const;
  static ViTConfig from_state(const StateDict& state);
  static const Settings<ViTConfig>& settings();
};

/// patch_embedding, class_token, position_embedding (of the class token and P patches), dropout, blocks.0 ..
/// n_layer - 1 (pre-norm), norm, head. First values: init::normal_by_width(n_embd), biases 0. A model of
/// pictures and one of patches differ in the head alone, and in that only where the classes do.
class ViT : public Model {
 public:
  using Config = ViTConfig;
  static std::vector<TaskKind> learns() { return {TaskKind::pictures, TaskKind::patches}; }
  explicit ViT(const ViTConfig& config);
  /// inputs (B, n_channel, image_size, image_size), floating -> (B, n_class), or (B, P, n_class) row by row.
  Tensor logits(const Batch& batch) const override;
  /// pictures -> (B, 1 + P, C): the class token's place, then the patches'.
  Tensor encode(const Array& pictures) const;
  int64_t hidden_layers() const override { return config.n_layer; }
  HiddenStates hidden_states(const Batch& batch, int64_t layer) const override;

  const ViTConfig config;
  PatchEmbedding& patch_embedding;
  Embedding& class_token;
  LearnedPositionalEncoding& position_embedding;
  Dropout& dropout;
  ModuleList<EncoderBlock>& blocks;
  LayerNorm& norm;
  Linear& head;

 private:
  /// What the first `count` blocks make of pictures; of all of them, behind the norm.
  Tensor encode_by(int64_t count, const Array& pictures) const;
};

}  // namespace weft
