#include <weft/layers/models/t5.h>

#include "hugging_face_family_internal.h"

namespace weft {
namespace {

constexpr const char* gated = "gated-gelu";
constexpr const char* head = "lm_head.weight";
constexpr const char* embedding = "shared.weight";

StateDict t5_config_of(const HuggingFaceConfig& theirs, const std::map<std::string, Array>& tensors,
                       std::vector<std::string>& notes) {
  T5Config ours{.vocab_size = theirs.integer("vocab_size", 32128),
                .block_size = theirs.integer("n_positions", 512),
                .n_layer = theirs.integer("num_layers", 6),
                .n_head = theirs.integer("num_heads", 8),
                .n_embd = theirs.integer("d_model", 512),
                .head_width = theirs.integer("d_kv", 64),
                .n_inner = theirs.integer("d_ff", 2048),
                .n_bucket = theirs.integer("relative_attention_num_buckets", 32),
                .max_distance = theirs.integer("relative_attention_max_distance", 128),
                .start_id = theirs.integer("decoder_start_token_id", theirs.integer("pad_token_id", 0)),
                .rms_norm_eps = theirs.number("layer_norm_epsilon", 1e-6),
                .dropout = theirs.number("dropout_rate", 0.1),
                .gated = theirs.text("feed_forward_proj", "relu") == gated};
  ours.n_decoder_layer = theirs.integer("num_decoder_layers", ours.n_layer);
  // Whether the output layer is the embedding is told by the weights; tie_word_embeddings, which version 1.1
  // says is false, tells whether it is scaled, unless that has a key of its own.
  const auto output = tensors.find(head), shared = tensors.find(embedding);
  ours.tie_embeddings =
      output == tensors.end() || shared == tensors.end() || output->second.identical(shared->second);
  ours.scale_output = theirs.boolean("scale_decoder_outputs", theirs.boolean("tie_word_embeddings", true));
  ours.check();
  theirs.allow("feed_forward_proj", {"relu", gated});
  theirs.allow("is_decoder", {false});
  theirs.allow("is_encoder_decoder", {true});
  if (!theirs.has("n_positions"))
    notes.push_back(str("config.json names no longest sequence; weft's block_size is ", ours.block_size));
  return ours.state();
}

nlohmann::ordered_json t5_config_for(const StateDict& state) {
  const T5Config ours = T5Config::from_state(state);
  const int64_t wide = ours.gated ? (8 * ours.n_embd / 3 + 7) / 8 * 8 : 4 * ours.n_embd;
  return {{"architectures", {"T5ForConditionalGeneration"}},
          {"vocab_size", ours.vocab_size},
          {"n_positions", ours.block_size},
          {"num_layers", ours.n_layer},
          {"num_decoder_layers", ours.n_decoder_layer > 0 ? ours.n_decoder_layer : ours.n_layer},
          {"num_heads", ours.n_head},
          {"d_model", ours.n_embd},
          {"d_kv", ours.head_width > 0 ? ours.head_width : ours.n_embd / ours.n_head},
          {"d_ff", ours.n_inner > 0 ? ours.n_inner : wide},
          {"relative_attention_num_buckets", ours.n_bucket},
          {"relative_attention_max_distance", ours.max_distance},
          {"decoder_start_token_id", ours.start_id},
          {"pad_token_id", ours.start_id},
          {"layer_norm_epsilon", ours.rms_norm_eps},
          {"dropout_rate", ours.dropout},
          {"feed_forward_proj", ours.gated ? gated : "relu"},
          {"is_encoder_decoder", true},
          {"scale_decoder_outputs", ours.scale_output},
          {"tie_word_embeddings", ours.tie_embeddings}};
}

Names t5_names(const StateDict& config) {
  Names all{{{embedding, {"token_embedding.weight"}}},
            {{"encoder.embed_tokens.weight", embedding}, {"decoder.embed_tokens.weight", embedding}},
            {"decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"}};
  if (config.integer("tie_embeddings") != 0) {
    all.ties.push_back({head, embedding});
  } else {
    all.mappings.push_back({head, {"output.weight"}});
  }
  const bool has_gate = config.integer("gated") != 0;
  const int64_t layers = config.integer("n_layer"), decoder_layers = config.integer("n_decoder_layer");
  for (const std::string stack : {"encoder.", "decoder."}) {
    const bool decodes = stack == "decoder.";
    all.mappings.push_back({stack + "final_layer_norm.weight", {stack + "norm.weight"}});
    all.mappings.push_back({stack + "block.0.layer.0.SelfAttention.relative_attention_bias.weight",
                            {stack + "position_bias.weight"}});
    Mappings block;
    const auto add = [&](int layer, const std::string& theirs, const std::string& ours) {
      block.push_back({str(stack, "block.*.layer.", layer, ".", theirs, ".weight"),
                       {str(stack, "blocks.*.", ours, ".weight")}});
    };
    const auto add_attention = [&](int layer, const std::string& theirs, const std::string& ours) {
      add(layer, "layer_norm", str("norm", layer + 1));
      for (const auto& [short_name, name] :
           {std::pair(".q", ".query"), {".k", ".key"}, {".v", ".value"}, {".o", ".output"}})
        add(layer, theirs + short_name, ours + name);
    };
    add_attention(0, "SelfAttention", "attention");
    if (decodes) add_attention(1, "EncDecAttention", "cross_attention");
    const int last = decodes ? 2 : 1;
    add(last, "layer_norm", str("norm", last + 1));
    if (has_gate) add(last, "DenseReluDense.wi_0", "feed_forward.gate");
    add(last, has_gate ? "DenseReluDense.wi_1" : "DenseReluDense.wi", "feed_forward.up");
    add(last, "DenseReluDense.wo", "feed_forward.down");
    add_blocks(all.mappings, decodes && decoder_layers > 0 ? decoder_layers : layers, block);
  }
  return all;
}

}  // namespace

Family t5_family() {
  return {.kind = "t5",
          .model_type = "t5",
          .architectures = {"T5ForConditionalGeneration"},
          .prefix = "",
          .config_of = t5_config_of,
          .config_for = t5_config_for,
          .names = t5_names};
}

}  // namespace weft
