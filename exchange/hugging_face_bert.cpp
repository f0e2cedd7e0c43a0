#include <weft/layers/models/bert.h>

#include "hugging_face_family_internal.h"

namespace weft {
namespace {

constexpr const char* masked = "BertForMaskedLM";
constexpr const char* pretraining = "BertForPreTraining";
constexpr const char* bert_classifier = "BertForSequenceClassification";

StateDict bert_config_of(const HuggingFaceConfig& theirs, const std::map<std::string, Array>&,
                         std::vector<std::string>& notes) {
  BERTConfig ours{.vocab_size = theirs.integer("vocab_size", 30522),
                  .block_size = theirs.integer("max_position_embeddings", 512),
                  .n_layer = theirs.integer("num_hidden_layers", 12),
                  .n_head = theirs.integer("num_attention_heads", 12),
                  .n_embd = theirs.integer("hidden_size", 768),
                  .n_inner = theirs.integer("intermediate_size", 3072),
                  .n_type = theirs.integer("type_vocab_size", 2),
                  .dropout = theirs.number("hidden_dropout_prob", 0.1),
                  .layer_norm_eps = theirs.number("layer_norm_eps", 1e-12)};
  if (tells_classes(theirs, bert_classifier)) ours.n_class = class_count(theirs);
  ours.check();
  theirs.allow("hidden_act", {"gelu"});
  theirs.allow("position_embedding_type", {"absolute"});
  theirs.allow("is_decoder", {false});
  theirs.allow("add_cross_attention", {false});
  theirs.allow("tie_word_embeddings", {true});
  note_dropout(theirs, {"attention_probs_dropout_prob"}, 0.1, ours.dropout, notes);
  notes.push_back("config.json names no separator: all tokens are of segment 0");
  return ours.state();
}

nlohmann::ordered_json bert_config_for(const StateDict& state) {
  const BERTConfig ours = BERTConfig::from_state(state);
  nlohmann::ordered_json theirs = {{"architectures", {ours.n_class > 0 ? bert_classifier : masked}},
                                   {"vocab_size", ours.vocab_size},
                                   {"max_position_embeddings", ours.block_size},
                                   {"num_hidden_layers", ours.n_layer},
                                   {"num_attention_heads", ours.n_head},
                                   {"hidden_size", ours.n_embd},
                                   {"intermediate_size", ours.n_inner > 0 ? ours.n_inner : 4 * ours.n_embd},
                                   {"type_vocab_size", ours.n_type},
                                   {"hidden_act", "gelu"},
                                   {"hidden_dropout_prob", ours.dropout},
                                   {"attention_probs_dropout_prob", ours.dropout},
                                   {"layer_norm_eps", ours.layer_norm_eps},
                                   {"tie_word_embeddings", true}};
  return theirs;
}

Names bert_names(const StateDict& config) {
  Mappings all = {{"bert.embeddings.word_embeddings.weight", {"token_embedding.weight"}},
                  {"bert.embeddings.position_embeddings.weight", {"position_embedding.weight"}},
                  {"bert.embeddings.token_type_embeddings.weight", {"type_embedding.weight"}}};
  const std::string layer = "bert.encoder.layer.*.", b = "blocks.*.";
  Mappings block;
  for (const char* part : {"weight", "bias"}) {
    const std::string p = part;
    all.push_back({"bert.embeddings.LayerNorm." + p, {"embedding_norm." + p}});
    for (const char* name : {"query.", "key.", "value."})
      block.push_back({layer + "attention.self." + name + p, {b + "attention." + name + p}});
    block.push_back({layer + "attention.output.dense." + p, {b + "attention.output." + p}});
    block.push_back({layer + "attention.output.LayerNorm." + p, {b + "norm1." + p}});
    block.push_back({layer + "intermediate.dense." + p, {b + "feed_forward.up." + p}});
    block.push_back({layer + "output.dense." + p, {b + "feed_forward.down." + p}});
    block.push_back({layer + "output.LayerNorm." + p, {b + "norm2." + p}});
    if (config.integer("n_class") > 0) {
      all.push_back({"bert.pooler.dense." + p, {"head.pooler." + p}});
      all.push_back({"classifier." + p, {"head.classifier." + p}});
    } else {
      all.push_back({"cls.predictions.transform.dense." + p, {"head.dense." + p}});
      all.push_back({"cls.predictions.transform.LayerNorm." + p, {"head.norm." + p}});
    }
  }
  if (config.integer("n_class") == 0) all.push_back({"cls.predictions.bias", {"head.bias"}});
  add_blocks(all, config.integer("n_layer"), block);
  return {.mappings = all,
          .ties = {{"cls.predictions.decoder.weight", "bert.embeddings.word_embeddings.weight"},
                   {"cls.predictions.decoder.bias", "cls.predictions.bias"}},
          .ignored = {"bert.embeddings.position_ids", "bert.pooler.dense.weight", "bert.pooler.dense.bias",
                      "cls.seq_relationship.weight", "cls.seq_relationship.bias"}};
}

}  // namespace

Family bert_family() {
  return {.kind = "bert",
          .model_type = "bert",
          .architectures = {masked, bert_classifier, pretraining},
          .prefix = "bert.",
          .config_of = bert_config_of,
          .config_for = bert_config_for,
          .names = bert_names};
}

}  // namespace weft
