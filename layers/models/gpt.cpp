#include <weft/layers/models/block_stack.h>
#include <weft/layers/models/check_ids_internal.h>
#include <weft/layers/models/gpt.h>

#include <cmath>

namespace weft {

void GPTConfig::check() const {
  settings().check("GPT", *this);
  if (n_embd % n_head != 0)
    fail<ValueError>("GPT: n_embd = ", n_embd, " is not divided by n_head = ", n_head);
}

const Settings<GPTConfig>& GPTConfig::settings() {
  using C = GPTConfig;
  static const Settings<C> all = {
      Field(&C::vocab_size, "vocab_size", 1, 1 << 24).from_data().required(),
      Field(&C::block_size, "block_size", 1, 1 << 20, "longest context, in tokens"),
      Field(&C::n_layer, "n_layer", 1, 1024,
            "blocks, or recurrent layers; of an encoder-decoder, in each of the two"),
      Field(&C::n_head, "n_head", 1, 1024, "attention heads; divides n_embd"),
      Field(&C::n_embd, "n_embd", 1, 1 << 17, "width of the model"),
      Field(&C::dropout, "dropout", 0.0, 1.0, "probability of dropping a value in training; 0 is off"),
      Field(&C::bias, "bias", "biases in linear layers and norms"),
      Field(&C::n_class, "n_class", 0, 1 << 20).from_data(),
      Field(&C::gelu_tanh, "gelu_tanh", "the tanh form of GELU, as GPT-2 was trained with")};
  return all;
}

StateDict GPTConfig::state() const { return settings().state(*this); }

namespace {

GPTConfig checked(const GPTConfig& config) {
  config.check();
  return config;
}

BlockOptions block_options(const GPTConfig& config) {
  const LinearOptions inner{.weight_init = init::normal(0.0, 0.02), .bias_init = init::zeros()};
  const double last = 0.02 / std::sqrt(2.0 * static_cast<double>(config.n_layer));
  const LinearOptions residual{.weight_init = init::normal(0.0, last), .bias_init = init::zeros()};
  return {.norm = NormPlacement::pre,
          .dropout = config.dropout,
          .layer_norm = {.bias = config.bias},
          .attention = {.bias = config.bias, .dropout = config.dropout, .input = inner, .output = residual},
          .feed_forward = {.activation = config.gelu_tanh ? Activation::gelu_tanh : Activation::gelu,
                           .bias = config.bias,
                           .up = inner,
                           .down = residual}};
}

}  // namespace

GPTConfig GPTConfig::from_state(const StateDict& state) { return checked(settings().from_state(state)); }

GPT::GPT(const GPTConfig& given)
    : config(checked(given)),
      token_embedding(
          child<Embedding>("token_embedding", config.vocab_size, config.n_embd, init::normal(0.0, 0.02))),
      position_embedding(
          child<LearnedPositionalEncoding>("position_embedding", config.block_size, config.n_embd)),
      dropout(child<Dropout>("dropout", config.dropout)),
      blocks(child<ModuleList<EncoderBlock>>("blocks", config.n_layer, config.n_embd, config.n_head,
                                             block_options(config))),
      norm(child<LayerNorm>("norm", config.n_embd, LayerNormOptions{.bias = config.bias})),
      classifier(config.n_class == 0
                     ? nullptr
                     : &child<Linear>("classifier", config.n_embd, config.n_class,
                                      LinearOptions{.bias = false, .weight_init = init::normal(0.0, 0.02)})) {
}

Tensor GPT::through_blocks(int64_t count, const Array& ids, const std::vector<int64_t>& lengths,
                           const DocumentBegins& documents) const {
  check_ids("GPT", ids, config.block_size);
  check_documents(documents);
  const Mask mask = causal_mask("GPT", ids, lengths, documents);
  const Tensor tokens = token_embedding(ids);
  const Tensor x = dropout(
      documents.empty() ? position_embedding(tokens)
                        : position_embedding(tokens, places_in_documents(documents, ids.dim(0), ids.dim(1))));
  return through_first(count, blocks, x, recompute_blocks, mask);
}

Tensor GPT::forward(const Array& ids, const std::vector<int64_t>& lengths,
                    const DocumentBegins& documents) const {
  Tensor x = through_blocks(config.n_layer, ids, lengths, documents);
  if (classifier) return (*classifier)(norm(last_tokens("GPT", x, lengths)));  // (B, n_class)
  x = norm(x);
  const LayerScope head = profile_scope("head");
  return linear(x, token_embedding.weight);  // (B, T, V)
}

HiddenStates GPT::hidden_states(const Batch& batch, int64_t layer) const {
  check_layer(layer);
  const Tensor x = through_blocks(layer, batch.inputs, batch.lengths, batch.documents);
  return {layer == config.n_layer ? norm(x) : x, batch.lengths};
}

std::unique_ptr<DecoderState> GPT::start(int64_t rows) const {
  check_writes();
  return std::make_unique<KeyValueState>(rows, config.n_layer);
}

Tensor GPT::next(const Array& ids, std::span<const int64_t> lengths, DecoderState& of) const {
  check_writes();
  const NoGrad no_grad;
  const DecodingStep step("GPT", ids, lengths, of, blocks.size(), config.block_size);
  KeyValueState& state = step.state;
  const Tensor tokens = token_embedding(ids);
  const bool aligned = state.same_length() && lengths.empty();
  Tensor x = aligned ? position_embedding(tokens, state.longest())
                     : position_embedding(tokens, state.lengths(), lengths);  // (B, T, C)
  for (size_t i = 0; i < blocks.size(); ++i) x = blocks[i](x, state.caches[i], lengths);
  x = norm(step.last_tokens(x));  // (B, C)
  step.finish();
  const LayerScope head = profile_scope("head");
  return linear(x, token_embedding.weight);  // (B, V)
}

}  // namespace weft
