#include <weft/layers/models/vit.h>

#include "hugging_face_family_internal.h"

namespace weft {
namespace {

StateDict vit_config_of(const HuggingFaceConfig& theirs, const std::map<std::string, Array>&,
                        std::vector<std::string>& notes) {
  const ViTConfig ours{.image_size = theirs.integer("image_size", 224),
                       .patch_size = theirs.integer("patch_size", 16),
                       .n_channel = theirs.integer("num_channels", 3),
                       .n_class = class_count(theirs),
                       .n_layer = theirs.integer("num_hidden_layers", 12),
                       .n_head = theirs.integer("num_attention_heads", 12),
                       .n_embd = theirs.integer("hidden_size", 768),
                       .n_inner = theirs.integer("intermediate_size", 3072),
                       .dropout = theirs.number("hidden_dropout_prob", 0.0),
                       .layer_norm_eps = theirs.number("layer_norm_eps", 1e-12)};
  ours.check();
  theirs.allow("hidden_act", {"gelu"});
  theirs.allow("qkv_bias", {true});
  theirs.allow("problem_type", {"single_label_classification"});
  note_dropout(theirs, {"attention_probs_dropout_prob"}, 0.0, ours.dropout, notes);
  return ours.state();
}

nlohmann::ordered_json vit_config_for(const StateDict& state) {
  const ViTConfig ours = ViTConfig::from_state(state);
  if (ours.segmentation) fail<ValueError>("transformers' ViT has no head that tells a class a patch");
  nlohmann::ordered_json theirs = {{"architectures", {"ViTForImageClassification"}},
                                   {"image_size", ours.image_size},
                                   {"patch_size", ours.patch_size},
                                   {"num_channels", ours.n_channel},
                                   {"num_hidden_layers", ours.n_layer},
                                   {"num_attention_heads", ours.n_head},
                                   {"hidden_size", ours.n_embd},
                                   {"intermediate_size", ours.n_inner > 0 ? ours.n_inner : 4 * ours.n_embd},
                                   {"hidden_act", "gelu"},
                                   {"qkv_bias", true},
                                   {"hidden_dropout_prob", ours.dropout},
                                   {"attention_probs_dropout_prob", ours.dropout},
                                   {"layer_norm_eps", ours.layer_norm_eps}};
  return theirs;
}

Names vit_names(const StateDict& config) {
  Names all{{{"vit.embeddings.cls_token", {"class_token.weight"}, Turn::unbatched},
             {"vit.embeddings.position_embeddings", {"position_embedding.weight"}, Turn::unbatched}},
            {},
            {"vit.pooler.dense.weight", "vit.pooler.dense.bias"}};
  const std::pair<const char*, const char*> parts[] = {{"attention.attention.query", "attention.query"},
                                                       {"attention.attention.key", "attention.key"},
                                                       {"attention.attention.value", "attention.value"},
                                                       {"attention.output.dense", "attention.output"},
                                                       {"layernorm_before", "norm1"},
                                                       {"layernorm_after", "norm2"},
                                                       {"intermediate.dense", "feed_forward.up"},
                                                       {"output.dense", "feed_forward.down"}};
  Mappings block;
  for (const char* part : {".weight", ".bias"}) {
    all.mappings.push_back(
        {str("vit.embeddings.patch_embeddings.projection", part), {str("patch_embedding", part)}});
    all.mappings.push_back({str("vit.layernorm", part), {str("norm", part)}});
    all.mappings.push_back({str("classifier", part), {str("head", part)}});
    for (const auto& [theirs, ours] : parts)
      block.push_back({str("vit.encoder.layer.*.", theirs, part), {str("blocks.*.", ours, part)}});
  }
  add_blocks(all.mappings, config.integer("n_layer"), block);
  return all;
}

}  // namespace

Family vit_family() {
  return {.kind = "vit",
          .model_type = "vit",
          .architectures = {"ViTForImageClassification"},
          .prefix = "vit.",
          .config_of = vit_config_of,
          .config_for = vit_config_for,
          .names = vit_names};
}

}  // namespace weft
