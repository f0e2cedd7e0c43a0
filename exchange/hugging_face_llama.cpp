#include <weft/layers/models/llama.h>

#include "hugging_face_family_internal.h"

namespace weft {
namespace {

using Scaling = RotaryFrequencies::Scaling;

constexpr double default_base = 10000.0;
constexpr const char *llama_writer = "LlamaForCausalLM", *llama_classifier = "LlamaForSequenceClassification",
                     *qwen3_writer = "Qwen3ForCausalLM", *qwen3_classifier = "Qwen3ForSequenceClassification";

/// Older files keep the base beside the kind of scaling, newer ones both in one object.
void read_rope(const HuggingFaceConfig& theirs, LlamaConfig& ours) {
  // Where both are there, transformers takes the older one.
  const HuggingFaceConfig rope =
      theirs.object(theirs.has("rope_scaling") ? "rope_scaling" : "rope_parameters");
  const char* const type = rope.has("rope_type") || !rope.has("type") ? "rope_type" : "type";
  rope.allow(type, {"default", "linear", "llama3"});
  rope.allow("partial_rotary_factor", {1.0});
  ours.rope_base = rope.number("rope_theta", theirs.number("rope_theta", default_base));
  const std::string kind = rope.text(type, "default");
  if (kind == "default") return;
  ours.rope_scaling = kind == "linear" ? Scaling::linear : Scaling::llama3;
  ours.rope_factor = rope.number("factor");
  if (ours.rope_scaling == Scaling::linear) return;
  ours.rope_low_freq_factor = rope.number("low_freq_factor");
  ours.rope_high_freq_factor = rope.number("high_freq_factor");
  ours.rope_original_context = rope.integer("original_max_position_embeddings", ours.block_size);
}

nlohmann::ordered_json rope_for(const LlamaConfig& ours) {
  nlohmann::ordered_json rope = {{"rope_theta", ours.rope_base}, {"rope_type", "default"}};
  if (ours.rope_scaling == Scaling::none) return rope;
  rope["rope_type"] = ours.rope_scaling == Scaling::linear ? "linear" : "llama3";
  rope["factor"] = ours.rope_factor;
  if (ours.rope_scaling == Scaling::linear) return rope;
  rope["low_freq_factor"] = ours.rope_low_freq_factor;
  rope["high_freq_factor"] = ours.rope_high_freq_factor;
  rope["original_max_position_embeddings"] = ours.rope_original_context;
  return rope;
}

/// What transformers means where a file says nothing.
struct Defaults {
  int64_t vocab_size, block_size, n_layer, n_head, n_embd, n_inner, head_width;
};

LlamaConfig read_config(const HuggingFaceConfig& theirs, const Defaults& without,
                        std::vector<std::string>& notes) {
  LlamaConfig ours{.vocab_size = theirs.integer("vocab_size", without.vocab_size),
                   .block_size = theirs.integer("max_position_embeddings", without.block_size),
                   .n_layer = theirs.integer("num_hidden_layers", without.n_layer),
                   .n_head = theirs.integer("num_attention_heads", without.n_head),
                   .n_embd = theirs.integer("hidden_size", without.n_embd),
                   .n_inner = theirs.integer("intermediate_size", without.n_inner),
                   .rms_norm_eps = theirs.number("rms_norm_eps", 1e-6),
                   .dropout = theirs.number("attention_dropout", 0.0),
                   .tie_embeddings = theirs.boolean("tie_word_embeddings", false)};
  ours.n_kv_head = theirs.integer("num_key_value_heads", ours.n_head);
  ours.head_width = theirs.integer("head_dim", without.head_width);
  read_rope(theirs, ours);
  theirs.allow("hidden_act", {"silu"});
  theirs.allow("attention_bias", {false});
  theirs.allow("mlp_bias", {false});
  if (ours.dropout != 0)
    notes.push_back(
        str("attention_dropout is ", ours.dropout, "; weft has it of embeddings and sublayers too"));
  return ours;
}

StateDict llama_config_of(const HuggingFaceConfig& theirs, const std::map<std::string, Array>&,
                          std::vector<std::string>& notes) {
  LlamaConfig ours = read_config(theirs, {32000, 2048, 32, 32, 4096, 11008, 0}, notes);
  if (tells_classes(theirs, llama_classifier)) ours.n_class = class_count(theirs);
  ours.check();
  return ours.state();
}

StateDict qwen3_config_of(const HuggingFaceConfig& theirs, const std::map<std::string, Array>&,
                          std::vector<std::string>& notes) {
  LlamaConfig ours = read_config(theirs, {151936, 32768, 32, 32, 4096, 22016, 128}, notes);
  ours.qk_norm = true;
  if (tells_classes(theirs, qwen3_classifier)) ours.n_class = class_count(theirs);
  ours.check();
  theirs.allow("use_sliding_window", {false});
  for (const std::string& type : theirs.texts("layer_types"))
    if (type != "full_attention")
      fail<FileError>(theirs.path(), ": layer_types has \"", type, "\"; weft knows only \"full_attention\"");
  return ours.state();
}

/// ValueError that names the first setting that no layout of theirs has.
void check_held(const LlamaConfig& ours) {
  const auto refuse = [](bool has, const char* name, const SettingValue& value) {
    if (has)
      fail<ValueError>("transformers' Llama has no ", name, "; this model has ", name, " = ", text_of(value));
  };
  const SettingValues values = LlamaConfig::settings().values(ours);
  const auto check = [&](const char* name, bool has) { refuse(has, name, values.at(name)); };
  check("window", ours.window > 0);
  check("activation", ours.activation != Activation::silu);
  check("logit_softcap", ours.logit_softcap > 0);
  check("value_embeddings", ours.value_embeddings != ValueEmbeddings::none);
  check("embedding_norm", ours.embedding_norm);
  check("residual_mix", ours.residual_mix);
}

const char* architecture_of(const LlamaConfig& ours) {
  if (ours.n_class > 0) return ours.qk_norm ? qwen3_classifier : llama_classifier;
  return ours.qk_norm ? qwen3_writer : llama_writer;
}

nlohmann::ordered_json llama_config_for(const StateDict& state) {
  const LlamaConfig ours = LlamaConfig::from_state(state);
  check_held(ours);
  // A width that is 0 in our configuration follows from others.
  const int64_t inner = ours.n_inner > 0 ? ours.n_inner : (8 * ours.n_embd / 3 + 7) / 8 * 8;
  nlohmann::ordered_json theirs = {
      {"architectures", {architecture_of(ours)}},
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
      {"rope_parameters", rope_for(ours)},
      {"rope_theta", ours.rope_base},
      {"attention_dropout", ours.dropout},
      {"attention_bias", false},
      {"tie_word_embeddings", ours.tie_embeddings}};
  // What transformers read before rope_parameters.
  if (ours.rope_scaling != Scaling::none) theirs["rope_scaling"] = rope_for(ours);
  if (ours.qk_norm)
    theirs["use_sliding_window"] = false;
  else
    theirs["mlp_bias"] = false;
  return theirs;
}

bool has_qk_norm(const StateDict& config) { return LlamaConfig::from_state(config).qk_norm; }

Names llama_names(const StateDict& config) {
  Names all{
      {{"model.embed_tokens.weight", {"token_embedding.weight"}}, {"model.norm.weight", {"norm.weight"}}},
      {},
      {"model.layers.*.self_attn.rotary_emb.inv_freq"}};
  if (config.integer("n_class") > 0)
    all.mappings.push_back({"score.weight", {"classifier.weight"}});
  else if (config.integer("tie_embeddings") != 0)
    all.ties = {{"lm_head.weight", "model.embed_tokens.weight"}};
  else
    all.mappings.push_back({"lm_head.weight", {"output.weight"}});
  const std::pair<const char*, const char*> parts[] = {
      {"self_attn.q_proj", "attention.query"}, {"self_attn.k_proj", "attention.key"},
      {"self_attn.v_proj", "attention.value"}, {"self_attn.o_proj", "attention.output"},
      {"mlp.gate_proj", "feed_forward.gate"},  {"mlp.up_proj", "feed_forward.up"},
      {"mlp.down_proj", "feed_forward.down"},  {"input_layernorm", "norm1"},
      {"post_attention_layernorm", "norm2"}};
  Mappings block;
  const auto add = [&](const char* theirs, const char* ours) {
    block.push_back({str("model.layers.*.", theirs, ".weight"), {str("blocks.*.", ours, ".weight")}});
  };
  for (const auto& [theirs, ours] : parts) add(theirs, ours);
  if (has_qk_norm(config)) {
    add("self_attn.q_norm", "attention.query_norm");
    add("self_attn.k_norm", "attention.key_norm");
  }
  add_blocks(all.mappings, config.integer("n_layer"), block);
  return all;
}

}  // namespace

Family llama_family() {
  return {.kind = "llama",
          .model_type = "llama",
          .architectures = {llama_writer, llama_classifier},
          .prefix = "model.",
          .config_of = llama_config_of,
          .config_for = llama_config_for,
          .names = llama_names,
          .holds = [](const StateDict& config) { return !has_qk_norm(config); }};
}

Family qwen3_family() {
  return {.kind = "llama",
          .model_type = "qwen3",
          .architectures = {qwen3_writer, qwen3_classifier},
          .prefix = "model.",
          .config_of = qwen3_config_of,
          .config_for = llama_config_for,
          .names = llama_names,
          .holds = has_qk_norm};
}

}  // namespace weft
