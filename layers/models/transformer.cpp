#include <weft/layers/models/block_stack.h>
#include <weft/layers/models/check_ids_internal.h>
#include <weft/layers/models/decoding/shift.h>
#include <weft/layers/models/transformer.h>

#include <cmath>

namespace weft {

namespace {

TransformerConfig checked(const TransformerConfig& config) {
  config.check();
  return config;
}

BlockOptions block_options(const TransformerConfig& config) {
  return {.norm = config.pre_norm ? NormPlacement::pre : NormPlacement::post,
          .dropout = config.dropout,
          .layer_norm = {.eps = config.layer_norm_eps},
          .attention = {.dropout = config.dropout, .input = xavier_linear(), .output = xavier_linear()},
          .feed_forward = {.hidden = config.n_inner,
                           .activation = Activation::relu,
                           .up = xavier_linear(),
                           .down = xavier_linear()}};
}

}  // namespace

void TransformerConfig::check() const {
  settings().check("Transformer", *this);
  if (n_embd % n_head != 0)
    fail<ValueError>("Transformer: n_embd = ", n_embd, " is not divided by n_head = ", n_head);
  if (n_embd % 2 != 0)
    fail<ValueError>("Transformer: n_embd = ", n_embd, " is odd, which its positions cannot be");
  if (start_id >= vocab_size)
    fail<ValueError>("Transformer: start_id = ", start_id, " is no id below vocab_size = ", vocab_size);
}

const Settings<TransformerConfig>& TransformerConfig::settings() {
  using C = TransformerConfig;
  static const Settings<C> all = {
      Field(&C::vocab_size, "vocab_size", 1, 1 << 24).from_data().required(),
      Field(&C::block_size, "block_size", 1, 1 << 20, "longest context, in tokens").in_runs(int64_t{64}),
      Field(&C::n_layer, "n_layer", 1, 1024,
            "blocks, or recurrent layers; of an encoder-decoder, in each of the two")
          .in_runs(int64_t{4}),
      Field(&C::n_head, "n_head", 1, 1024, "attention heads; divides n_embd"),
      Field(&C::n_embd, "n_embd", 2, 1 << 17, "width of the model"),
      Field(&C::n_inner, "n_inner", 0, 1 << 20,
            "width inside the feed-forward; 0 is what the model is published with"),
      Field(&C::start_id, "start_id", 0, 1 << 24).from_data(),
      Field(&C::pre_norm, "norm", {{"post", false}, {"pre", true}},
            "norms before each sublayer, or after it as published in 2017")
          .in_runs("pre")
          .formerly("pre_norm"),
      Field(&C::dropout, "dropout", 0.0, 1.0, "probability of dropping a value in training; 0 is off"),
      Field(&C::layer_norm_eps, "layer_norm_eps", 0.0, 1.0, "added to the variance in norms")};
  return all;
}

StateDict TransformerConfig::state() const { return settings().state(*this); }

TransformerConfig TransformerConfig::from_state(const StateDict& state) {
  return checked(settings().from_state(state));
}

Transformer::Transformer(const TransformerConfig& given)
    : config(checked(given)),
      token_embedding(
          child<Embedding>("token_embedding", config.vocab_size, config.n_embd,
                           init::normal(0.0, 1.0 / std::sqrt(static_cast<double>(config.n_embd))))),
      position_encoding(
          child<SinusoidalPositionalEncoding>("position_encoding", config.block_size, config.n_embd)),
      dropout(child<Dropout>("dropout", config.dropout)),
      encoder_blocks(child<ModuleList<EncoderBlock>>("encoder.blocks", config.n_layer, config.n_embd,
                                                     config.n_head, block_options(config))),
      encoder_norm(config.pre_norm ? &child<LayerNorm>("encoder.norm", config.n_embd,
                                                       LayerNormOptions{.eps = config.layer_norm_eps})
                                   : nullptr),
      decoder_blocks(child<ModuleList<DecoderBlock>>("decoder.blocks", config.n_layer, config.n_embd,
                                                     config.n_head, block_options(config))),
      decoder_norm(config.pre_norm ? &child<LayerNorm>("decoder.norm", config.n_embd,
                                                       LayerNormOptions{.eps = config.layer_norm_eps})
                                   : nullptr) {}

TextDecoder Transformer::decoder() const {
  return {*this,   "Transformer",  config.block_size, token_embedding, position_encoding,
          dropout, decoder_blocks, decoder_norm};
}

Tensor Transformer::encode_by(int64_t count, const Array& ids, const std::vector<int64_t>& lengths) const {
  check_ids("Transformer", ids, config.block_size);
  const Tensor x = through_first(count, encoder_blocks, dropout(position_encoding(decoder().scaled(ids))),
                                 recompute_blocks, counted(lengths));
  return encoder_norm && count == config.n_layer ? (*encoder_norm)(x) : x;
}

Tensor Transformer::encode(const Array& ids, const std::vector<int64_t>& lengths) const {
  return encode_by(config.n_layer, ids, lengths);
}

HiddenStates Transformer::hidden_states(const Batch& batch, int64_t layer) const {
  check_layer(layer);
  return {encode_by(layer, batch.inputs, batch.lengths), batch.lengths};
}

Tensor Transformer::decode(const Array& ids, const Tensor& memory,
                           const std::vector<int64_t>& lengths) const {
  return decoder().decode(ids, memory, lengths, recompute_blocks);
}

Tensor Transformer::logits(const Batch& batch) const {
  check_documents(batch.documents);
  const Array ids = shifted_right("Transformer", batch.targets, config.start_id);
  return decode(ids, encode(batch.inputs, batch.lengths), batch.lengths);
}

std::unique_ptr<DecoderState> Transformer::start(const Batch& source) const {
  const NoGrad no_grad;
  const Tensor memory = encode(source.inputs, source.lengths);
  return KeyValueState::answering(decoder_blocks, memory, source.lengths);
}

Tensor Transformer::next(const Array& ids, std::span<const int64_t> lengths, DecoderState& state) const {
  return decoder().next(ids, lengths, state);
}

}  // namespace weft
