#include <weft/layers/models/gpt.h>

#include "hugging_face_family_internal.h"

namespace weft {
namespace {

constexpr const char* writer = "GPT2LMHeadModel";
constexpr const char* gpt2_classifier = "GPT2ForSequenceClassification";

StateDict gpt2_config_of(const HuggingFaceConfig& theirs, const std::map<std::string, Array>&,
                         std::vector<std::string>& notes) {
  GPTConfig ours{.vocab_size = theirs.integer("vocab_size", 50257),
                 .block_size = theirs.integer("n_positions", 1024),
                 .n_layer = theirs.integer("n_layer", 12),
                 .n_head = theirs.integer("n_head", 12),
                 .n_embd = theirs.integer("n_embd", 768),
                 .dropout = theirs.number("resid_pdrop", 0.1),
                 .bias = true,
                 .gelu_tanh = theirs.text("activation_function", "gelu_new") != "gelu"};
  if (tells_classes(theirs, gpt2_classifier)) ours.n_class = class_count(theirs);
  ours.check();
  theirs.allow("activation_function", {"gelu_new", "gelu_pytorch_tanh", "gelu"});
  theirs.allow("n_inner", {4 * ours.n_embd});
  theirs.allow("layer_norm_epsilon", {1e-5});
  theirs.allow("scale_attn_weights", {true});
  theirs.allow("scale_attn_by_inverse_layer_idx", {false});
  theirs.allow("add_cross_attention", {false});
  theirs.allow("tie_word_embeddings", {true});
  note_dropout(theirs, {"embd_pdrop", "attn_pdrop"}, 0.1, ours.dropout, notes);
  return ours.state();
}

nlohmann::ordered_json gpt2_config_for(const StateDict& state) {
  const GPTConfig ours = GPTConfig::from_state(state);
  return {{"architectures", {ours.n_class > 0 ? gpt2_classifier : writer}},
          {"vocab_size", ours.vocab_size},
          {"n_positions", ours.block_size},
          {"n_layer", ours.n_layer},
          {"n_head", ours.n_head},
          {"n_embd", ours.n_embd},
          {"n_inner", nullptr},
          {"activation_function", ours.gelu_tanh ? "gelu_new" : "gelu"},
          {"layer_norm_epsilon", 1e-5},
          {"embd_pdrop", ours.dropout},
          {"attn_pdrop", ours.dropout},
          {"resid_pdrop", ours.dropout},
          {"bos_token_id", nullptr},
          {"tie_word_embeddings", true}};
}

/// Its linear layers are Conv1D: weights lie the other way round.
Names gpt2_names(const StateDict& config) {
  Mappings all = {{"transformer.wte.weight", {"token_embedding.weight"}},
                  {"transformer.wpe.weight", {"position_embedding.weight"}},
                  {"transformer.ln_f.weight", {"norm.weight"}},
                  {"transformer.ln_f.bias", {"norm.bias"}}};
  const std::string h = "transformer.h.*.", b = "blocks.*.";
  Mappings block;
  for (const char* part : {"weight", "bias"}) {
    const std::string p = part;
    const Turn turn = p == "weight" ? Turn::transposed : Turn::none;
    block.push_back({h + "ln_1." + p, {b + "norm1." + p}});
    block.push_back({h + "attn.c_attn." + p,
                     {b + "attention.query." + p, b + "attention.key." + p, b + "attention.value." + p},
                     turn});
    block.push_back({h + "attn.c_proj." + p, {b + "attention.output." + p}, turn});
    block.push_back({h + "ln_2." + p, {b + "norm2." + p}});
    block.push_back({h + "mlp.c_fc." + p, {b + "feed_forward.up." + p}, turn});
    block.push_back({h + "mlp.c_proj." + p, {b + "feed_forward.down." + p}, turn});
  }
  add_blocks(all, config.integer("n_layer"), block);
  Names made{.mappings = all, .ignored = {"transformer.h.*.attn.bias", "transformer.h.*.attn.masked_bias"}};
  if (config.integer("n_class") > 0)
    made.mappings.push_back({"score.weight", {"classifier.weight"}});
  else
    made.ties = {{"lm_head.weight", "transformer.wte.weight"}};
  return made;
}

}  // namespace

Family gpt2_family() {
  return {.kind = "gpt2",
          .model_type = "gpt2",
          .architectures = {writer, gpt2_classifier, "GPT2Model"},
          .prefix = "transformer.",
          .config_of = gpt2_config_of,
          .config_for = gpt2_config_for,
          .names = gpt2_names};
}

}  // namespace weft
