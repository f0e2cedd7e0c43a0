#include <weft/layers/models/llama.h>

#include "hugging_face_family_internal.h"

namespace weft {
namespace {

constexpr double default_base = 10000.0;

StateDict config_of(const HuggingFaceConfig& theirs, const std::map<std::string, Array>&,
                    std::vector<std::string>& notes) {
  LlamaConfig ours{.vocab_size = theirs.integer("vocab_size", 32000),
                   .block_size = theirs.integer("max_position_embeddings", 2048),
                   .n_layer = theirs.integer("num_hidden_layers", 32),
                   .n_head = theirs.integer("num_attention_heads", 32),
                   .n_embd = theirs.integer("hidden_size", 4096),
                   .n_inner = theirs.integer("intermediate_size", 11008),
                   .rms_norm_eps = theirs.number("rms_norm_eps", 1e-6),
                   .dropout = theirs.number("attention_dropout", 0.0),
                   .tie_embeddings = theirs.boolean("tie_word_embeddings", false)};
  ours.n_kv_head = theirs.integer("num_key_value_heads", ours.n_head);
  ours.head_width = theirs.integer("head_dim", 0);
  // Older files keep the base beside the kind of scaling, newer ones both in one object.
  const HuggingFaceConfig rope = theirs.object("rope_parameters");
  ours.rope_base = rope.number("rope_theta", theirs.number("rope_theta", default_base));
  ours.check();
  rope.allow("rope_type", {"default"});
  rope.allow("partial_rotary_factor", {1.0});
  theirs.object("rope_scaling").allow("rope_type", {"default"});
  theirs.object("rope_scaling").allow("type", {"default"});
  theirs.allow("hidden_act", {"silu"});
  theirs.allow("attention_bias", {false});
  theirs.allow("mlp_bias", {false});
  if (ours.dropout != 0)
    notes.push_back(
        str("attention_dropout is ", ours.dropout, "; weft has it of embeddings and sublayers too"));
  return ours.state();
}

nlohmann::ordered_json config_for(const StateDict& state) {
  const LlamaConfig ours = LlamaConfig::from_state(state);
  if (ours.window > 0)
    fail<ValueError>("transformers' Llama has no window of attention; this model has one of ", ours.window);
  // A width that is 0 in our configuration follows from others.
  const int64_t inner = ours.n_inner > 0 ? ours.n_inner : (8 * ours.n_embd / 3 + 7) / 8 * 8;
  return {{"architectures", {"LlamaForCausalLM"}},
          {"vocab_size", ours.vocab_size},
          {"max_position_embeddings", ours.block_size},
          {"num_hidden_layers", ours.n_layer},
          {"num_attention_heads", ours.n_head},
          {"num_key_value_heads", ours.n_kv_head > 0 ? ours.n_kv_head : ours.n_head},
          {"head_dim", ours.head_width > 0 ? ours.head_width : ours.n_embd / ours.n_head},
          {"hidden_size", ours.n_embd},
          {"intermediate_size", inner},
          {"hidden_act", "silu"},
          {"rms_norm_eps", ours.rms_norm_eps},
          {"rope_parameters", {{"rope_theta", ours.rope_base}, {"rope_type", "default"}}},
          {"rope_theta", ours.rope_base},
          {"attention_dropout", ours.dropout},
          {"attention_bias", false},
          {"mlp_bias", false},
          {"tie_word_embeddings", ours.tie_embeddings}};
}

Names names(const StateDict& config) {
  Names all{
      {{"model.embed_tokens.weight", {"token_embedding.weight"}}, {"model.norm.weight", {"norm.weight"}}},
      {},
      {"model.layers.*.self_attn.rotary_emb.inv_freq"}};
  if (config.integer("tie_embeddings") != 0) {
    all.ties = {{"lm_head.weight", "model.embed_tokens.weight"}};
  } else {
    all.mappings.push_back({"lm_head.weight", {"output.weight"}});
  }
  const std::pair<const char*, const char*> parts[] = {
      {"self_attn.q_proj", "attention.query"}, {"self_attn.k_proj", "attention.key"},
      {"self_attn.v_proj", "attention.value"}, {"self_attn.o_proj", "attention.output"},
      {"mlp.gate_proj", "feed_forward.gate"},  {"mlp.up_proj", "feed_forward.up"},
      {"mlp.down_proj", "feed_forward.down"},  {"input_layernorm", "norm1"},
      {"post_attention_layernorm", "norm2"}};
  Mappings block;
  for (const auto& [theirs, ours] : parts)
    block.push_back({str("model.layers.*.", theirs, ".weight"), {str("blocks.*.", ours, ".weight")}});
  add_blocks(all.mappings, config.integer("n_layer"), block);
  return all;
}

}  // namespace

Family llama_family() {
  return {.kind = "llama",
          .model_type = "llama",
          .architectures = {"LlamaForCausalLM"},
          .prefix = "model.",
          .config_of = config_of,
          .config_for = config_for,
          .names = names};
}

}  // namespace weft
