#include <weft/layers/models/block_stack.h>
#include <weft/layers/models/check_ids_internal.h>
#include <weft/layers/models/gpt.h>

#include <cmath>

namespace weft {

void GPTConfig::check() const {
  const auto at_least_one = [](const char* name, int64_t value, int64_t most) {
    if (value < 1 || value > most)
      fail<ValueError>("GPT: ", name, " = ", value, " is not between 1 and ", most);
  };
  at_least_one("vocab_size", vocab_size, 1 << 24);
  at_least_one("block_size", block_size, 1 << 20);
  at_least_one("n_layer", n_layer, 1024);
  at_least_one("n_head", n_head, 1024);
  at_least_one("n_embd", n_embd, 1 << 17);
  if (n_embd % n_head != 0)
    fail<ValueError>("GPT: n_embd = ", n_embd, " is not divided by n_head = ", n_head);
  if (!(dropout >= 0 && dropout < 1)) fail<ValueError>("GPT: dropout = ", dropout, " is not in [0, 1)");
}

StateDict GPTConfig::state() const {
  StateDict s;
  s.set("vocab_size", vocab_size);
  s.set("block_size", block_size);
  s.set("n_layer", n_layer);
  s.set("n_head", n_head);
  s.set("n_embd", n_embd);
  s.set("dropout", dropout);
  s.set("bias", static_cast<int64_t>(bias));
  s.set("gelu_tanh", static_cast<int64_t>(gelu_tanh));
  return s;
}

GPTConfig GPTConfig::from_state(const StateDict& state) {
  GPTConfig config{.vocab_size = state.integer("vocab_size"),
                   .block_size = state.integer("block_size"),
                   .n_layer = state.integer("n_layer"),
                   .n_head = state.integer("n_head"),
                   .n_embd = state.integer("n_embd"),
                   .dropout = state.number("dropout"),
                   .bias = state.integer("bias") != 0,
                   .gelu_tanh = state.contains("gelu_tanh") && state.integer("gelu_tanh") != 0};
  config.check();
  return config;
}

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

GPT::GPT(const GPTConfig& given)
    : config(checked(given)),
      token_embedding(
          child<Embedding>("token_embedding", config.vocab_size, config.n_embd, init::normal(0.0, 0.02))),
      position_embedding(
          child<LearnedPositionalEncoding>("position_embedding", config.block_size, config.n_embd)),
      dropout(child<Dropout>("dropout", config.dropout)),
      blocks(child<ModuleList<EncoderBlock>>("blocks", config.n_layer, config.n_embd, config.n_head,
                                             block_options(config))),
      norm(child<LayerNorm>("norm", config.n_embd, LayerNormOptions{.bias = config.bias})) {}

Tensor GPT::forward(const Array& ids, const std::vector<int64_t>& lengths) const {
  check_ids("GPT", ids, config.block_size);
  const Mask mask = lengths.empty() ? Mask::causal() : Mask::causal() & Mask::lengths(lengths);
  Tensor x = dropout(position_embedding(token_embedding(ids)));  // (B, T, C)
  x = norm(through(blocks, x, recompute_blocks, mask));
  const LayerScope head = profile_scope("head");
  return linear(x, token_embedding.weight);  // (B, T, V)
}

std::unique_ptr<DecoderState> GPT::start(int64_t rows) const {
  return std::make_unique<KeyValueState>(rows, config.n_layer);
}

Tensor GPT::next(const Array& ids, std::span<const int64_t> lengths, DecoderState& of) const {
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
