#include <weft/layers/models/block_stack.h>
#include <weft/layers/models/check_ids_internal.h>
#include <weft/layers/models/llama.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace weft {

namespace {

LlamaConfig checked(const LlamaConfig& config) {
  config.check();
  return config;
}

int64_t inner_width(const LlamaConfig& config) {
  if (config.n_inner == 0 && config.activation == Activation::relu2) return 4 * config.n_embd;
  return config.n_inner > 0 ? config.n_inner : (8 * config.n_embd / 3 + 7) / 8 * 8;
}

LinearOptions normal(double deviation) { return {.weight_init = init::normal(0.0, deviation)}; }

bool has_values(const LlamaConfig& config, int64_t block) {
  return config.value_embeddings == ValueEmbeddings::all ||
         (config.value_embeddings == ValueEmbeddings::alternate && block % 2 == (config.n_layer - 1) % 2);
}

int64_t window_of(const LlamaConfig& config, int64_t block) {
  const std::string& pattern = config.window_pattern;
  return !pattern.empty() && pattern[static_cast<size_t>(block) % pattern.size()] == 'G' ? 0 : config.window;
}

RotaryFrequencies frequencies_of(const LlamaConfig& config) {
  RotaryFrequencies made(config.rope_base);
  made.scaling = config.rope_scaling;
  made.factor = config.rope_factor;
  made.low_freq_factor = config.rope_low_freq_factor;
  made.high_freq_factor = config.rope_high_freq_factor;
  made.original_context = static_cast<double>(config.rope_original_context);
  return made;
}

BlockOptions block_options(const LlamaConfig& config, int64_t block) {
  constexpr int64_t gate_channels = 32;
  const LinearOptions inner = normal(0.02);
  const LinearOptions residual = config.zero_init
                                     ? LinearOptions{.weight_init = init::zeros()}
                                     : normal(0.02 / std::sqrt(2.0 * static_cast<double>(config.n_layer)));
  std::optional<RMSNormOptions> qk_norm;
  if (config.qk_norm) qk_norm = RMSNormOptions{.eps = config.rms_norm_eps};
  return {.norm = NormPlacement::pre,
          .dropout = config.dropout,
          .rms_norm = RMSNormOptions{.eps = config.rms_norm_eps},
          .attention = {.kv_heads = config.n_kv_head,
                        .head_width = config.head_width,
                        .bias = false,
                        .dropout = config.dropout,
                        .rotary = frequencies_of(config),
                        .qk_norm = qk_norm,
                        .value_gate = has_values(config, block) ? std::min(gate_channels, config.n_embd) : 0,
                        .window = window_of(config, block),
                        .input = inner,
                        .output = residual},
          .feed_forward = {.hidden = inner_width(config),
                           .activation = config.activation,
                           .gated = config.activation == Activation::silu,
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
  if (window_pattern.find_first_not_of("LG") != std::string::npos || window_pattern.size() > 1024)
    fail<ValueError>("Llama: window_pattern = '", window_pattern,
                     "': needs at most 1024 letters, L for blocks with the window and G for those without");
  if (!window_pattern.empty() && window == 0)
    fail<ValueError>("Llama: window_pattern = '", window_pattern,
                     "' says which blocks have a window, but window = 0");
  if (rope_low_freq_factor >= rope_high_freq_factor)
    fail<ValueError>("Llama: rope_low_freq_factor = ", rope_low_freq_factor,
                     " is not below rope_high_freq_factor = ", rope_high_freq_factor);
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
      Field(&C::window_pattern, "window_pattern", {},
            "which blocks have the window, L, or none, G, over and over: LLLG; empty: all have it"),
      Field(&C::rope_base, "rope_base", 1.0, 1e12, "base of the rotary positions"),
      Field(&C::rope_scaling, "rope_scaling",
            {{"none", RotaryFrequencies::Scaling::none},
             {"linear", RotaryFrequencies::Scaling::linear},
             {"llama3", RotaryFrequencies::Scaling::llama3}},
            "slows rotary positions down for contexts longer than those of training"),
      Field(&C::rope_factor, "rope_factor", 1.0, 1e6, "by how much rope_scaling does so"),
      Field(&C::rope_low_freq_factor, "rope_low_freq_factor", 1e-6, 1e6,
            "of llama3: planes with fewer turns in the original context are slowed down whole"),
      Field(&C::rope_high_freq_factor, "rope_high_freq_factor", 1e-6, 1e6,
            "of llama3: planes with more turns in the original context are left alone"),
      Field(&C::rope_original_context, "rope_original_context", 1, 1 << 24,
            "of llama3: tokens of the context that came before"),
      Field(&C::rms_norm_eps, "rms_norm_eps", 0.0, 1.0, "added to the mean square in norms"),
      Field(&C::dropout, "dropout", 0.0, 1.0, "probability of dropping a value in training; 0 is off"),
      Field(&C::tie_embeddings, "tie_embeddings", "the output layer is the token embedding").in_runs(true),
      Field(&C::activation, "activation", {{"silu", Activation::silu}, {"relu2", Activation::relu2}},
            "of the feed-forward: silu is SwiGLU, relu2 is max(x, 0)^2 without a gate"),
      Field(&C::qk_norm, "qk_norm", "RMS norm of each head of queries and keys"),
      Field(&C::logit_softcap, "logit_softcap", 0.0, 1e6, "above 0, c: logits y become c tanh(y / c)"),
      Field(&C::value_embeddings, "value_embeddings",
            {{"none", ValueEmbeddings::none},
             {"alternate", ValueEmbeddings::alternate},
             {"all", ValueEmbeddings::all}},
            "blocks that add a learned vector of each token to its attention's values"),
      Field(&C::embedding_norm, "embedding_norm", "RMS norm behind the token embedding"),
      Field(&C::residual_mix, "residual_mix",
            "each block reads a learned mix of its input and the first one"),
      Field(&C::zero_init, "zero_init",
            "layers that write to the residual, and an untied output, begin as zeros"),
      Field(&C::n_class, "n_class", 0, 1 << 20).from_data()};
  return all;
}

StateDict LlamaConfig::state() const { return settings().state(*this); }

LlamaConfig LlamaConfig::from_state(const StateDict& state) { return checked(settings().from_state(state)); }

Llama::Llama(const LlamaConfig& given)
    : config(checked(given)),
      token_embedding(
          child<Embedding>("token_embedding", config.vocab_size, config.n_embd, init::normal(0.0, 0.02))),
      dropout(child<Dropout>("dropout", config.dropout)),
      blocks([this]() -> ModuleList<LlamaBlock>& {
        auto& made = child<ModuleList<LlamaBlock>>("blocks");
        for (int64_t i = 0; i < config.n_layer; ++i)
          made.append(config.n_embd, config.n_head,
                      LlamaBlockOptions{.block = block_options(config, i),
                                        .residual_mix = config.residual_mix,
                                        .value_ids = has_values(config, i) ? config.vocab_size : 0});
        return made;
      }()),
      norm(child<RMSNorm>("norm", config.n_embd, RMSNormOptions{.eps = config.rms_norm_eps})),
      output(config.tie_embeddings || config.n_class > 0
                 ? nullptr
                 : &child<Linear>("output", config.n_embd, config.vocab_size,
                                  config.zero_init
                                      ? LinearOptions{.bias = false, .weight_init = init::zeros()}
                                      : normal(0.02).with_bias(false))),
      classifier(config.n_class == 0 ? nullptr
                                     : &child<Linear>("classifier", config.n_embd, config.n_class,
                                                      normal(0.02).with_bias(false))) {}

Tensor Llama::embedded(const Array& ids) const {
  const Tensor x = token_embedding(ids);
  return config.embedding_norm ? rms_norm(x, {}, config.rms_norm_eps) : x;
}

Tensor Llama::head(const Tensor& x) const {
  const Tensor y = norm(x);
  const LayerScope layer = profile_scope("head");
  const Tensor logits = output ? output->forward(y) : linear(y, token_embedding.weight);
  const double cap = config.logit_softcap;
  return cap > 0 ? tanh(logits / cap) * cap : logits;
}

Tensor Llama::through_blocks(int64_t count, const Array& ids, const std::vector<int64_t>& lengths,
                             const DocumentBegins& documents) const {
  check_ids("Llama", ids, config.block_size);
  check_documents(documents);
  const Mask mask = causal_mask("Llama", ids, lengths, documents);
  const LlamaInputs inputs{dropout(embedded(ids)), ids};
  return through_first(count, blocks, inputs.first, recompute_blocks, mask, inputs);
}

Tensor Llama::forward(const Array& ids, const std::vector<int64_t>& lengths,
                      const DocumentBegins& documents) const {
  const Tensor x = through_blocks(config.n_layer, ids, lengths, documents);
  return classifier ? (*classifier)(norm(last_tokens("Llama", x, lengths))) : head(x);
}

HiddenStates Llama::hidden_states(const Batch& batch, int64_t layer) const {
  check_layer(layer);
  const Tensor x = through_blocks(layer, batch.inputs, batch.lengths, batch.documents);
  return {layer == config.n_layer ? norm(x) : x, batch.lengths};
}

std::unique_ptr<DecoderState> Llama::start(int64_t rows) const {
  check_writes();
  return std::make_unique<KeyValueState>(rows, config.n_layer);
}

Tensor Llama::next(const Array& ids, std::span<const int64_t> lengths, DecoderState& of) const {
  check_writes();
  const NoGrad no_grad;
  const DecodingStep step("Llama", ids, lengths, of, blocks.size(), config.block_size);
  const LlamaInputs inputs{embedded(ids), ids};
  Tensor x = inputs.first;  // (B, T, C)
  for (size_t i = 0; i < blocks.size(); ++i) x = blocks[i](x, step.state.caches[i], lengths, inputs);
  const Tensor logits = head(step.last_tokens(x));  // (B, V)
  step.finish();
  return logits;
}

}  // namespace weft
