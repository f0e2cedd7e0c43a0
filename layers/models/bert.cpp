#include <weft/layers/models/bert.h>
#include <weft/layers/models/block_stack.h>

#include <algorithm>

namespace weft {

namespace {

BERTConfig checked(const BERTConfig& config) {
  config.check();
  return config;
}

LinearOptions linear_options(int64_t width) {
  return {.weight_init = init::normal_by_width(width), .bias_init = init::zeros()};
}

BlockOptions block_options(const BERTConfig& config) {
  return {.norm = NormPlacement::post,
          .dropout = config.dropout,
          .layer_norm = {.eps = config.layer_norm_eps},
          .attention = {.dropout = config.dropout,
                        .input = linear_options(config.n_embd),
                        .output = linear_options(config.n_embd)},
          .feed_forward = {.hidden = config.n_inner,
                           .up = linear_options(config.n_embd),
                           .down = linear_options(config.n_embd)}};
}

}  // namespace

void BERTConfig::check() const {
  settings().check("BERT", *this);
  if (n_embd % n_head != 0)
    fail<ValueError>("BERT: n_embd = ", n_embd, " is not divided by n_head = ", n_head);
  if (separator >= vocab_size)
    fail<ValueError>("BERT: separator = ", separator, " is no id below vocab_size = ", vocab_size);
}

const Settings<BERTConfig>& BERTConfig::settings() {
  using C = BERTConfig;
  static const Settings<C> all = {
      Field(&C::vocab_size, "vocab_size", 1, 1 << 24).from_data().required(),
      Field(&C::block_size, "block_size", 1, 1 << 20, "longest context, in tokens").in_runs(int64_t{64}),
      Field(&C::n_layer, "n_layer", 1, 1024,
            "blocks, or recurrent layers; of an encoder-decoder, in each of the two"),
      Field(&C::n_head, "n_head", 1, 1024, "attention heads; divides n_embd"),
      Field(&C::n_embd, "n_embd", 1, 1 << 17, "width of the model"),
      Field(&C::n_inner, "n_inner", 0, 1 << 20,
            "width inside the feed-forward; 0 is what the model is published with"),
      Field(&C::n_class, "n_class", 0, 1 << 20).from_data(),
      Field(&C::n_type, "n_type", 1, 1 << 20, "segments that a text may have"),
      Field(&C::separator, "separator", -1, 1 << 24, "id that ends a segment; -1 is none"),
      Field(&C::dropout, "dropout", 0.0, 1.0, "probability of dropping a value in training; 0 is off"),
      Field(&C::layer_norm_eps, "layer_norm_eps", 0.0, 1.0, "added to the variance in norms")};
  return all;
}

StateDict BERTConfig::state() const { return settings().state(*this); }

BERTConfig BERTConfig::from_state(const StateDict& state) { return checked(settings().from_state(state)); }

MaskedTokenHead::MaskedTokenHead(int64_t width, int64_t vocab_size, const LinearOptions& dense_options,
                                 const LayerNormOptions& norm_options)
    : dense(child<Linear>("dense", width, width, dense_options)),
      norm(child<LayerNorm>("norm", width, norm_options)),
      bias(parameter("bias", {vocab_size}, init::zeros())) {}

Tensor MaskedTokenHead::forward(const Tensor& x, const Tensor& embeddings) const {
  return linear(norm(gelu(dense(x))), embeddings, bias);
}

PooledHead::PooledHead(int64_t width, int64_t classes, double probability, const LinearOptions& options)
    : pooler(child<Linear>("pooler", width, width, options)),
      classifier(child<Linear>("classifier", width, classes, options)),
      dropout(child<Dropout>("dropout", probability)) {}

Tensor PooledHead::forward(const Tensor& x) const {
  const Tensor first = reshape(slice(x, 1, 0, 1), {x.dim(0), x.dim(2)});  // (B, C)
  return classifier(dropout(tanh(pooler(first))));
}

BERT::BERT(const BERTConfig& given)
    : config(checked(given)),
      token_embedding(child<Embedding>("token_embedding", config.vocab_size, config.n_embd,
                                       init::normal_by_width(config.n_embd))),
      position_embedding(child<LearnedPositionalEncoding>(
          "position_embedding", config.block_size, config.n_embd, init::normal_by_width(config.n_embd))),
      type_embedding(child<Embedding>("type_embedding", config.n_type, config.n_embd,
                                      init::normal_by_width(config.n_embd))),
      embedding_norm(
          child<LayerNorm>("embedding_norm", config.n_embd, LayerNormOptions{.eps = config.layer_norm_eps})),
      dropout(child<Dropout>("dropout", config.dropout)),
      blocks(child<ModuleList<EncoderBlock>>("blocks", config.n_layer, config.n_embd, config.n_head,
                                             block_options(config))),
      masked_head(config.n_class > 0
                      ? nullptr
                      : &child<MaskedTokenHead>("head", config.n_embd, config.vocab_size,
                                                linear_options(config.n_embd),
                                                LayerNormOptions{.eps = config.layer_norm_eps})),
      pooled_head(config.n_class > 0 ? &child<PooledHead>("head", config.n_embd, config.n_class,
                                                          config.dropout, linear_options(config.n_embd))
                                     : nullptr) {}

Array BERT::segments(const Array& ids) const {
  Array types(ids.shape(), int64);
  const Array whole = ids.to(int64);
  const int64_t* const read = whole.data<int64_t>();
  int64_t* const values = types.mutable_data<int64_t>();
  const int64_t T = ids.dim(1);
  for (int64_t i = 0; i < ids.size(); ++i) {
    const bool first = i % T == 0;
    const int64_t ended = first ? 0 : values[i - 1] + (read[i - 1] == config.separator);
    values[i] = std::min(ended, config.n_type - 1);
  }
  return types;
}

Tensor BERT::through_blocks(int64_t count, const Array& ids, const std::vector<int64_t>& lengths) const {
  if (ids.rank() != 2 || ids.dim(1) < 1 || ids.dim(1) > config.block_size)
    fail<ShapeError>("BERT: ids are ", ids.shape(), ": needs (B, T) with T between 1 and the block_size ",
                     config.block_size);
  const Tensor tokens = token_embedding(ids);  // (B, T, C)
  const Tensor x = dropout(embedding_norm(position_embedding(tokens + type_embedding(segments(ids)))));
  return through_first(count, blocks, x, recompute_blocks, lengths.empty() ? Mask{} : Mask::lengths(lengths));
}

Tensor BERT::encode(const Array& ids, const std::vector<int64_t>& lengths) const {
  return through_blocks(config.n_layer, ids, lengths);
}

HiddenStates BERT::hidden_states(const Batch& batch, int64_t layer) const {
  check_layer(layer);
  check_documents(batch.documents);
  return {through_blocks(layer, batch.inputs, batch.lengths), batch.lengths};
}

Tensor BERT::logits(const Batch& batch) const {
  check_documents(batch.documents);
  const Tensor x = encode(batch.inputs, batch.lengths);
  return masked_head ? (*masked_head)(x, token_embedding.weight) : (*pooled_head)(x);
}

Loss BERT::loss(const Batch& batch) const {
  check_documents(batch.documents);
  std::vector<int64_t> places, targets;
  if (masked_head) {
    const Array wanted = batch.targets.to(int64);
    for (int64_t i = 0; i < wanted.size(); ++i) {
      if (wanted.data<int64_t>()[i] == Batch::ignored) continue;
      places.push_back(i);
      targets.push_back(wanted.data<int64_t>()[i]);
    }
  }
  // What does not fit is told by the whole of it. Dropout of an adapter counts samples, which chosen places are not.
  const bool drops = masked_head && training() && masked_head->dense.lora_options().dropout > 0;
  if (places.empty() || drops || batch.targets.shape() != batch.inputs.shape()) return Model::loss(batch);
  const auto count = static_cast<int64_t>(places.size());
  const Tensor x = reshape(encode(batch.inputs, batch.lengths), {batch.inputs.size(), config.n_embd});
  const Tensor chosen = embedding(Array::from(places, {count}), x);  // (count, C)
  return loss_of((*masked_head)(chosen, token_embedding.weight), Array::from(targets, {count}));
}

}  // namespace weft
