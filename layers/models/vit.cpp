#include <weft/layers/models/block_stack.h>
#include <weft/layers/models/vit.h>

#include <algorithm>

namespace weft {

namespace {

ViTConfig checked(const ViTConfig& config) {
  config.check();
  return config;
}

LinearOptions linear_options(int64_t width) {
  return {.weight_init = init::normal_by_width(width), .bias_init = init::zeros()};
}

BlockOptions block_options(const ViTConfig& config, int64_t block) {
  const double depth =
      static_cast<double>(block) / static_cast<double>(std::max<int64_t>(1, config.n_layer - 1));
  return {.norm = NormPlacement::pre,
          .dropout = config.dropout,
          .drop_path = config.drop_path * depth,
          .layer_norm = {.eps = config.layer_norm_eps},
          .attention = {.dropout = config.dropout,
                        .input = linear_options(config.n_embd),
                        .output = linear_options(config.n_embd)},
          .feed_forward = {.hidden = config.n_inner,
                           .up = linear_options(config.n_embd),
                           .down = linear_options(config.n_embd)}};
}

}  // namespace

void ViTConfig::check() const {
  settings().check("ViT", *this);
  if (n_embd % n_head != 0)
    fail<ValueError>("ViT: n_embd = ", n_embd, " is not divided by n_head = ", n_head);
  if (image_size % patch_size != 0)
    fail<ValueError>("ViT: image_size = ", image_size, " is not divided by patch_size = ", patch_size);
}

const Settings<ViTConfig>& ViTConfig::settings() {
  using C = ViTConfig;
  static const Settings<C> all = {
      Field(&C::image_size, "image_size", 1, 1 << 14).from_data().required(),
      Field(&C::patch_size, "patch_size", 1, 1 << 14, "sides of a patch, in pixels"),
      Field(&C::n_channel, "n_channel", 1, 1 << 14).from_data(),
      Field(&C::n_class, "n_class", 1, 1 << 20).from_data(),
      Field(&C::segmentation, "segmentation").from_data(),
      Field(&C::n_layer, "n_layer", 1, 1024,
            "blocks, or recurrent layers; of an encoder-decoder, in each of the two"),
      Field(&C::n_head, "n_head", 1, 1024, "attention heads; divides n_embd"),
      Field(&C::n_embd, "n_embd", 1, 1 << 17, "width of the model"),
      Field(&C::n_inner, "n_inner", 0, 1 << 20,
            "width inside the feed-forward; 0 is what the model is published with"),
      Field(&C::dropout, "dropout", 0.0, 1.0, "probability of dropping a value in training; 0 is off"),
      Field(&C::drop_path, "drop_path", 0.0, 1.0,
            "stochastic depth, the probability that the last block is left out of a sample"),
      Field(&C::layer_norm_eps, "layer_norm_eps", 0.0, 1.0, "added to the variance in norms")};
  return all;
}

StateDict ViTConfig::state() const { return settings().state(*this); }

ViTConfig ViTConfig::from_state(const StateDict& state) { return checked(settings().from_state(state)); }

ViT::ViT(const ViTConfig& given)
    : config(checked(given)),
      patch_embedding(
          child<PatchEmbedding>("patch_embedding", config.n_channel, config.patch_size, config.n_embd,
                                PatchEmbeddingOptions{.weight_init = init::normal_by_width(config.n_embd),
                                                      .bias_init = init::zeros()})),
      class_token(child<Embedding>("class_token", 1, config.n_embd, init::normal_by_width(config.n_embd))),
      position_embedding(child<LearnedPositionalEncoding>(
          "position_embedding", 1 + config.patches(), config.n_embd, init::normal_by_width(config.n_embd))),
      dropout(child<Dropout>("dropout", config.dropout)),
      blocks([this]() -> ModuleList<EncoderBlock>& {
        auto& made = child<ModuleList<EncoderBlock>>("blocks");
        for (int64_t i = 0; i < config.n_layer; ++i)
          made.append(config.n_embd, config.n_head, block_options(config, i));
        return made;
      }()),
      norm(child<LayerNorm>("norm", config.n_embd, LayerNormOptions{.eps = config.layer_norm_eps})),
      head(child<Linear>("head", config.n_embd, config.n_class, linear_options(config.n_embd))) {}

Tensor ViT::encode_by(int64_t count, const Array& pictures) const {
  const Shape wanted{pictures.rank() > 0 ? pictures.dim(0) : 0, config.n_channel, config.image_size,
                     config.image_size};
  if (pictures.shape() != wanted)
    fail<ShapeError>("ViT: pictures are ", pictures.shape(), ": needs (B, ", config.n_channel, ", ",
                     config.image_size, ", ", config.image_size, ")");
  const Tensor patches = patch_embedding(Tensor(pictures));  // (B, P, C)
  // As a row of a table, so that its gradient is one chain over the samples, across micro-batches too.
  const Tensor first = class_token(Array::zeros({pictures.dim(0), 1}, int64));  // (B, 1, C)
  const Tensor x = through_first(count, blocks, dropout(position_embedding(cat({first, patches}, 1))),
                                 recompute_blocks, Mask{});
  return count == config.n_layer ? norm(x) : x;
}

Tensor ViT::encode(const Array& pictures) const { return encode_by(config.n_layer, pictures); }

HiddenStates ViT::hidden_states(const Batch& batch, int64_t layer) const {
  check_layer(layer);
  return {encode_by(layer, batch.inputs), {}};
}

Tensor ViT::logits(const Batch& batch) const {
  check_documents(batch.documents);
  const Tensor x = encode(batch.inputs);
  if (config.segmentation) return head(slice(x, 1, 1, x.dim(1)));
  return head(reshape(slice(x, 1, 0, 1), {x.dim(0), x.dim(2)}));
}

}  // namespace weft
