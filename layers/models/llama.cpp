#include <weft/layers/models/block_stack.h>
#include <weft/layers/models/check_ids_internal.h>
#include <weft/layers/models/llama.h>

#include <cmath>

namespace weft {

namespace {

LlamaConfig checked(const LlamaConfig& config) {
  config.check();
  return config;
}

int64_t inner_width(const LlamaConfig& config) {
  return config.n_inner > 0 ? config.n_inner : (8 * config.n_embd / 3 + 7) / 8 * 8;
}

LinearOptions normal(double deviation) { return {.weight_init = init::normal(0.0, deviation)}; }

BlockOptions block_options(const LlamaConfig& config) {
  const LinearOptions inner = normal(0.02);
  const LinearOptions residual = normal(0.02 / std::sqrt(2.0 * static_cast<double>(config.n_layer)));
  return {.norm = NormPlacement::pre,
          .dropout = config.dropout,
          .rms_norm = RMSNormOptions{.eps = config.rms_norm_eps},
          .attention = {.kv_heads = config.n_kv_head,
                        .head_width = config.head_width,
                        .bias = false,
                        .dropout = config.dropout,
                        .rotary = config.rope_base,
                        .window = config.window,
                        .input = inner,
                        .output = residual},
          .feed_forward = {.hidden = inner_width(config),
                           .activation = Activation::silu,
                           .gated = true,
                           .bias = false,
                           .up = inner,
                           .down = residual}};
}

}  // namespace

void LlamaConfig::check() const {
  settings().check("Llama", *this);
  if (head_width == 0 && n_embd % n_head != 0)
    fail<ValueError>("Llama: n_embd = ", n_embd, " is not divided by n_head = ", n_head);
  if (n_kv_head > 0 && n_head % n_kv_head != 0)
    fail<ValueError>("Llama: n_head = ", n_head, " is not divided by n_kv_head = ", n_kv_head);
  const int64_t width = head_width > 0 ? head_width : n_embd / n_head;
  if (width % 2 != 0)
    fail<ValueError>("Llama: heads are ", width,
                     " wide, which is odd: rotary positions turn pairs. n_embd = ", n_embd,
                     ", n_head = ", n_head, ", head_width = ", head_width);
}

const Settings<LlamaConfig>& LlamaConfig::settings() {
  using C = LlamaConfig;
  static const Settings<C> all = {
      Field(&C::vocab_size, "vocab_size", 1, 1 << 24).from_data().required(),
      Field(&C::block_size, "block_size", 1, 1 << 20, "longest context, in tokens"),
      Field(&C::n_layer, "n_layer", 1, 1024,
            "blocks, or recurrent layers; of an encoder-decoder, in each of the two"),
      Field(&C::n_head, "n_head", 1, 1024, "attention heads; divides n_embd"),
      Field(&C::n_kv_head, "n_kv_head", 0, 1024, "heads of keys and values; divides n_head; 0 is n_head"),
      Field(&C::n_embd, "n_embd", 1, 1 << 17, "width of the model"),
      Field(&C::head_width, "head_width", 0, 1 << 17, "width of a head; 0 is n_embd / n_head"),
      Field(&C::n_inner, "n_inner", 0, 1 << 20,
            "width inside the feed-forward; 0 is what the model is published with"),
      Field(&C::window, "window", 0, 1 << 20, "a token attends to so many last ones; 0: to all before it"),
      Field(&C::rope_base, "rope_base", 1.0, 1e12, "base of the rotary positions"),
      Field(&C::rms_norm_eps, "rms_norm_eps", 0.0, 1.0, "added to the mean square in norms"),
      Field(&C::dropout, "dropout", 0.0, 1.0, "probability of dropping a value in training; 0 is off"),
      Field(&C::tie_embeddings, "tie_embeddings", "the output layer is the token embedding").in_runs(true)};
  return all;
}

StateDict LlamaConfig::state() const { return settings().state(*this); }

LlamaConfig LlamaConfig::from_state(const StateDict& state) { return checked(settings().from_state(state)); }

Llama::Llama(const LlamaConfig& given)
    : config(checked(given)),
      token_embedding(
          child<Embedding>("token_embedding", config.vocab_size, config.n_embd, init::normal(0.0, 0.02))),
      dropout(child<Dropout>("dropout", config.dropout)),
      blocks(child<ModuleList<EncoderBlock>>("blocks", config.n_layer, config.n_embd, config.n_head,
                                             block_options(config))),
      norm(child<RMSNorm>("norm", config.n_embd, RMSNormOptions{.eps = config.rms_norm_eps})),
      output(config.tie_embeddings ? nullptr
                                   : &child<Linear>("output", config.n_embd, config.vocab_size,
                                                    normal(0.02).with_bias(false))) {}

Tensor Llama::head(const Tensor& x) const {
  const Tensor y = norm(x);
  const LayerScope layer = profile_scope("head");
  return linear(y, output ? output->weight : token_embedding.weight);
}

Tensor Llama::forward(const Array& ids, const std::vector<int64_t>& lengths,
                      const DocumentBegins& documents) const {
  check_ids("Llama", ids, config.block_size);
  const Mask mask = causal_mask("Llama", ids, lengths, documents);
  return head(through(blocks, dropout(token_embedding(ids)), recompute_blocks, mask));
}

std::unique_ptr<DecoderState> Llama::start(int64_t rows) const {
  return std::make_unique<KeyValueState>(rows, config.n_layer);
}

Tensor Llama::next(const Array& ids, std::span<const int64_t> lengths, DecoderState& of) const {
  const NoGrad no_grad;
  const DecodingStep step("Llama", ids, lengths, of, blocks.size(), config.block_size);
  Tensor x = token_embedding(ids);  // (B, T, C)
  for (size_t i = 0; i < blocks.size(); ++i) x = blocks[i](x, step.state.caches[i], lengths);
  const Tensor logits = head(step.last_tokens(x));  // (B, V)
  step.finish();
  return logits;
}

}  // namespace weft
