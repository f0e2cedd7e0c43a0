#include <weft/layers/models/block_stack.h>
#include <weft/layers/models/check_ids_internal.h>
#include <weft/layers/models/decoding/shift.h>
#include <weft/layers/models/t5.h>
#include <weft/layers/models/text_decoder.h>

#include <cmath>
#include <iterator>

namespace weft {

namespace {

T5Config checked(const T5Config& config) {
  config.check();
  return config;
}

int64_t head_width(const T5Config& config) {
  return config.head_width > 0 ? config.head_width : config.n_embd / config.n_head;
}

int64_t inner_width(const T5Config& config) {
  if (config.n_inner > 0) return config.n_inner;
  return config.gated ? (8 * config.n_embd / 3 + 7) / 8 * 8 : 4 * config.n_embd;
}

double root_of_inverse(int64_t n) { return 1.0 / std::sqrt(static_cast<double>(n)); }

LinearOptions fan_in(int64_t inputs) {
  return {.bias = false, .weight_init = init::normal(0.0, root_of_inverse(inputs))};
}

BlockOptions block_options(const T5Config& config) {
  const int64_t width = config.n_embd, inner = inner_width(config),
                heads_width = config.n_head * head_width(config);
  return {.norm = NormPlacement::pre,
          .dropout = config.dropout,
          .rms_norm = RMSNormOptions{.eps = config.rms_norm_eps},
          .attention = {.head_width = head_width(config),
                        .bias = false,
                        .dropout = config.dropout,
                        .scale = 1.0,
                        .query = fan_in(width * head_width(config)),
                        .input = fan_in(width),
                        .output = fan_in(heads_width)},
          .feed_forward = {.hidden = inner,
                           .activation = config.gated ? Activation::gelu_tanh : Activation::relu,
                           .gated = config.gated,
                           .bias = false,
                           .dropout = config.dropout,
                           .up = fan_in(width),
                           .down = fan_in(inner)}};
}

RelativePositionBiasOptions position_options(const T5Config& config, bool bidirectional) {
  return {.buckets = config.n_bucket,
          .max_distance = config.max_distance,
          .bidirectional = bidirectional,
          .weight_init = init::normal(0.0, root_of_inverse(config.n_embd))};
}

}  // namespace

void T5Config::check() const {
  settings().check("T5", *this);
  if (head_width == 0 && n_embd % n_head != 0)
    fail<ValueError>("T5: n_embd = ", n_embd, " is not divided by n_head = ", n_head);
  if (max_distance <= n_bucket / 2)
    fail<ValueError>("T5: max_distance = ", max_distance, " is not beyond the ", n_bucket / 2,
                     " nearest tokens, which have a bucket each with n_bucket = ", n_bucket);
  if (start_id >= vocab_size)
    fail<ValueError>("T5: start_id = ", start_id, " is no id below vocab_size = ", vocab_size);
}

const Settings<T5Config>& T5Config::settings() {
  using C = T5Config;
  static const Settings<C> all = {
      Field(&C::vocab_size, "vocab_size", 1, 1 << 24).from_data().required(),
      Field(&C::block_size, "block_size", 1, 1 << 20, "longest context, in tokens").in_runs(int64_t{64}),
      Field(&C::n_layer, "n_layer", 1, 1024,
            "blocks, or recurrent layers; of an encoder-decoder, in each of the two"),
      Field(&C::n_decoder_layer, "n_decoder_layer", 0, 1024, "the decoder's blocks; 0 is n_layer"),
      Field(&C::n_head, "n_head", 1, 1024, "attention heads; divides n_embd"),
      Field(&C::n_embd, "n_embd", 1, 1 << 17, "width of the model"),
      Field(&C::head_width, "head_width", 0, 1 << 17, "width of a head; 0 is n_embd / n_head"),
      Field(&C::n_inner, "n_inner", 0, 1 << 20,
            "width inside the feed-forward; 0 is what the model is published with"),
      Field(&C::n_bucket, "n_bucket", 4, 1 << 16, "buckets of relative positions"),
      Field(&C::max_distance, "max_distance", 1, 1 << 20, "relative positions from here on share a bucket"),
      Field(&C::start_id, "start_id", 0, 1 << 24).from_data(),
      Field(&C::rms_norm_eps, "rms_norm_eps", 0.0, 1.0, "added to the mean square in norms"),
      Field(&C::dropout, "dropout", 0.0, 1.0, "probability of dropping a value in training; 0 is off"),
      Field(&C::gated, "gated", "a gate in the feed-forward, as version 1.1 has"),
      Field(&C::tie_embeddings, "tie_embeddings", "the output layer is the token embedding"),
      Field(&C::scale_output, "scale_output",
            "what the output layer is given is divided by sqrt(n_embd), as the first version does")};
  return all;
}

StateDict T5Config::state() const { return settings().state(*this); }

T5Config T5Config::from_state(const StateDict& state) { return checked(settings().from_state(state)); }

T5::T5(const T5Config& given)
    : config(checked(given)),
      token_embedding(
          child<Embedding>("token_embedding", config.vocab_size, config.n_embd, init::normal(0.0, 1.0))),
      dropout(child<Dropout>("dropout", config.dropout)),
      encoder_position_bias(child<RelativePositionBias>("encoder.position_bias", config.n_head,
                                                        position_options(config, true))),
      encoder_blocks(child<ModuleList<EncoderBlock>>("encoder.blocks", config.n_layer, config.n_embd,
                                                     config.n_head, block_options(config))),
      encoder_norm(child<RMSNorm>("encoder.norm", config.n_embd, RMSNormOptions{.eps = config.rms_norm_eps})),
      decoder_position_bias(child<RelativePositionBias>("decoder.position_bias", config.n_head,
                                                        position_options(config, false))),
      decoder_blocks(child<ModuleList<DecoderBlock>>(
          "decoder.blocks", config.n_decoder_layer > 0 ? config.n_decoder_layer : config.n_layer,
          config.n_embd, config.n_head, block_options(config))),
      decoder_norm(child<RMSNorm>("decoder.norm", config.n_embd, RMSNormOptions{.eps = config.rms_norm_eps})),
      output(config.tie_embeddings
                 ? nullptr
                 : &child<Linear>("output", config.n_embd, config.vocab_size, fan_in(config.n_embd))) {}

Tensor T5::encode_by(int64_t count, const Array& ids, const std::vector<int64_t>& lengths) const {
  check_ids("T5", ids, config.block_size);
  const Tensor bias = encoder_position_bias(ids.dim(0), ids.dim(1), ids.dim(1));
  const Tensor x = through_first(count, encoder_blocks, dropout(token_embedding(ids)), recompute_blocks,
                                 counted(lengths), bias);  // (B, S, C)
  return count == config.n_layer ? dropout(encoder_norm(x)) : x;
}

Tensor T5::encode(const Array& ids, const std::vector<int64_t>& lengths) const {
  return encode_by(config.n_layer, ids, lengths);
}

HiddenStates T5::hidden_states(const Batch& batch, int64_t layer) const {
  check_layer(layer);
  return {encode_by(layer, batch.inputs, batch.lengths), batch.lengths};
}

Tensor T5::head(const Tensor& x) const {
  Tensor y = dropout(decoder_norm(x));
  const LayerScope layer = profile_scope("head");
  if (config.scale_output) y = y * root_of_inverse(config.n_embd);
  return output ? output->forward(y) : linear(y, token_embedding.weight);
}

Tensor T5::decode(const Array& ids, const Tensor& memory, const std::vector<int64_t>& lengths) const {
  check_ids("T5", ids, config.block_size);
  const Tensor bias = decoder_position_bias(ids.dim(0), ids.dim(1), ids.dim(1));
  const Tensor x = dropout(token_embedding(ids));  // (B, T, C)
  return head(through(decoder_blocks, x, recompute_blocks, memory, Mask::causal(), counted(lengths), bias));
}

Tensor T5::logits(const Batch& batch) const {
  check_documents(batch.documents);
  const Array ids = shifted_right("T5", batch.targets, config.start_id);
  return decode(ids, encode(batch.inputs, batch.lengths), batch.lengths);
}

std::unique_ptr<DecoderState> T5::start(const Batch& source) const {
  const NoGrad no_grad;
  const Tensor memory = encode(source.inputs, source.lengths);
  return KeyValueState::answering(decoder_blocks, memory, source.lengths);
}

Tensor T5::next(const Array& ids, std::span<const int64_t> lengths, DecoderState& of) const {
  const NoGrad no_grad;
  const DecodingStep step("T5", ids, lengths, of, decoder_blocks.size(), config.block_size);
  KeyValueState& state = step.state;
  step.needs_memory("T5");
  const Tensor bias = decoder_position_bias(state.rows(), ids.dim(1), step.longest(), state.lengths());
  Tensor x = token_embedding(ids);  // (B, T, C)
  for (size_t i = 0; i < decoder_blocks.size(); ++i)
    x = decoder_blocks[i](x, state.caches[i], state.memory[i], lengths, bias);
  const Tensor logits = head(step.last_tokens(x));
  step.finish();
  return logits;
}

}  // namespace weft
