#include <weft/exchange/gguf_internal.h>
#include <weft/exchange/json_internal.h>
#include <weft/lib/base/error.h>
#include <weft/lib/kernels/movement.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace weft {
namespace {

using nlohmann::json;

constexpr uint64_t alignment = 32;
// Kinds of values.
enum : uint32_t {
  kind_uint32 = 4,
  kind_int32 = 5,
  kind_float32 = 6,
  kind_bool = 7,
  kind_string = 8,
  kind_array = 9
};
// Types of tokens.
enum : int32_t { normal_token = 1, control_token = 3, user_token = 4 };

void put_text(std::string& to, std::string_view text) {
  put(to, static_cast<uint64_t>(text.size()));
  to += text;
}

/// Names with values.
class Metadata {
 public:
  void set(const std::string& key, std::string_view text) {
    head(key, kind_string);
    put_text(bytes_, text);
  }
  void set(const std::string& key, uint32_t number) {
    head(key, kind_uint32);
    put(bytes_, number);
  }
  void set(const std::string& key, float number) {
    head(key, kind_float32);
    put(bytes_, number);
  }
  void set(const std::string& key, bool flag) {
    head(key, kind_bool);
    put(bytes_, static_cast<uint8_t>(flag));
  }
  void set(const std::string& key, const std::vector<std::string>& texts) {
    head(key, kind_array);
    put(bytes_, kind_string + uint32_t{0});
    put(bytes_, static_cast<uint64_t>(texts.size()));
    for (const std::string& text : texts) put_text(bytes_, text);
  }
  void set(const std::string& key, const std::vector<int32_t>& numbers) {
    head(key, kind_array);
    put(bytes_, kind_int32 + uint32_t{0});
    put(bytes_, static_cast<uint64_t>(numbers.size()));
    for (const int32_t number : numbers) put(bytes_, number);
  }
  uint64_t count() const { return count_; }
  const std::string& bytes() const { return bytes_; }

 private:
  void head(const std::string& key, uint32_t kind) {
    put_text(bytes_, key);
    put(bytes_, kind);
    ++count_;
  }
  std::string bytes_;
  uint64_t count_ = 0;
};

struct WrittenTensor {
  std::string name;
  Array values;
};

uint64_t aligned(uint64_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

/// Rows of a head in pairs, as ggml turns them, instead of in halves, as transformers does.
Array with_pairs(const Array& values, int64_t heads) {
  Array made(values.shape(), float32);
  const int64_t rows = values.dim(0), width = values.size() / rows, of_head = rows / heads;
  const float* const from = values.data<float>();
  float* const to = made.mutable_data<float>();
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t head = row / of_head, in_head = row % of_head;
    const int64_t source = head * of_head + (in_head % 2) * (of_head / 2) + in_head / 2;
    std::copy_n(from + source * width, width, to + row * width);
  }
  return made;
}

uint32_t whole(const json& config, const char* key) {
  if (!config.contains(key) || !config.at(key).is_number_integer())
    fail<ValueError>("GGUF: config.json has no whole number '", key, "'");
  return config.at(key).get<uint32_t>();
}

/// The parts of transformers' names between "layers.N." or "h.N." and the end, and what GGUF calls them.
const std::map<std::string, std::string, std::less<>> of_llama_block = {
    {"input_layernorm", "attn_norm"},    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},      {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"}, {"self_attn.q_norm", "attn_q_norm"},
    {"self_attn.k_norm", "attn_k_norm"}, {"post_attention_layernorm", "ffn_norm"},
    {"mlp.gate_proj", "ffn_gate"},       {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"}};
const std::map<std::string, std::string, std::less<>> of_gpt2_block = {
    {"ln_1", "attn_norm"}, {"attn.c_attn", "attn_qkv"}, {"attn.c_proj", "attn_output"},
    {"ln_2", "ffn_norm"},  {"mlp.c_fc", "ffn_up"},      {"mlp.c_proj", "ffn_down"}};
const std::map<std::string, std::string, std::less<>> outside = {{"model.embed_tokens", "token_embd"},
                                                                 {"model.norm", "output_norm"},
                                                                 {"lm_head", "output"},
                                                                 {"transformer.wte", "token_embd"},
                                                                 {"transformer.wpe", "position_embd"},
                                                                 {"transformer.ln_f", "output_norm"}};

/// GGUF's name of a tensor; none where it has no such.
std::optional<std::string> name_of(const std::string& theirs) {
  const size_t end = theirs.rfind('.');
  const std::string path = theirs.substr(0, end), last = theirs.substr(end);
  if (const auto found = outside.find(path); found != outside.end()) return found->second + last;
  for (const auto& [prefix, names] : {std::pair{std::string("model.layers."), &of_llama_block},
                                      {std::string("transformer.h."), &of_gpt2_block}}) {
    if (!path.starts_with(prefix)) continue;
    const size_t dot = path.find('.', prefix.size());
    if (dot == std::string::npos) return {};
    const auto found = names->find(path.substr(dot + 1));
    if (found != names->end())
      return str("blk.", path.substr(prefix.size(), dot - prefix.size()), ".", found->second, last);
  }
  return {};
}

void describe_llama(Metadata& metadata, const json& config, const std::string& kind) {
  const auto key = [&](const char* name) { return kind + "." + name; };
  const uint32_t heads = whole(config, "num_attention_heads"), width = whole(config, "hidden_size");
  const uint32_t of_head = config.contains("head_dim") && !config["head_dim"].is_null()
                               ? whole(config, "head_dim")
                               : width / heads;
  metadata.set(key("context_length"), whole(config, "max_position_embeddings"));
  metadata.set(key("embedding_length"), width);
  metadata.set(key("block_count"), whole(config, "num_hidden_layers"));
  metadata.set(key("feed_forward_length"), whole(config, "intermediate_size"));
  metadata.set(key("attention.head_count"), heads);
  metadata.set(key("attention.head_count_kv"), whole(config, "num_key_value_heads"));
  metadata.set(key("attention.key_length"), of_head);
  metadata.set(key("attention.value_length"), of_head);
  metadata.set(key("attention.layer_norm_rms_epsilon"), config.at("rms_norm_eps").get<float>());
  metadata.set(key("rope.dimension_count"), of_head);
  metadata.set(key("vocab_size"), whole(config, "vocab_size"));
  const json none, &parameters = config.contains("rope_parameters") ? config["rope_parameters"] : none;
  const json& base = parameters.contains("rope_theta") ? parameters["rope_theta"]
                     : config.contains("rope_theta")   ? config["rope_theta"]
                                                       : none;
  metadata.set(key("rope.freq_base"), base.is_number() ? base.get<float>() : 10000.0f);
  const json& scaling = config.contains("rope_scaling") ? config["rope_scaling"] : parameters;
  const std::string how =
      scaling.is_object() ? scaling.value("rope_type", scaling.value("type", "default")) : "default";
  if (how == "linear") {
    metadata.set(key("rope.scaling.type"), std::string_view("linear"));
    metadata.set(key("rope.scaling.factor"), scaling.at("factor").get<float>());
  } else if (how != "default") {
    fail<ValueError>("GGUF: rotary positions scaled as '", how, "' are not written; only linear ones are");
  }
}

void describe_gpt2(Metadata& metadata, const json& config) {
  metadata.set("gpt2.context_length", whole(config, "n_positions"));
  metadata.set("gpt2.embedding_length", whole(config, "n_embd"));
  metadata.set("gpt2.block_count", whole(config, "n_layer"));
  metadata.set("gpt2.feed_forward_length", config.contains("n_inner") && config["n_inner"].is_number()
                                               ? whole(config, "n_inner")
                                               : 4 * whole(config, "n_embd"));
  metadata.set("gpt2.attention.head_count", whole(config, "n_head"));
  metadata.set("gpt2.attention.layer_norm_epsilon", config.at("layer_norm_epsilon").get<float>());
}

/// Of how words are cut, llama.cpp knows some patterns by name.
std::string words_of(const json& tokenizer) {
  const std::string cut = tokenizer.contains("pre_tokenizer") ? tokenizer["pre_tokenizer"].dump() : "";
  if (cut.find("(?i:'s|'t|'re|'ve|'m|'ll|'d)") != std::string::npos) return "llama-bpe";
  if (cut.find("Split") == std::string::npos && cut.find("ByteLevel") != std::string::npos) return "gpt-2";
  fail<ValueError>("GGUF: llama.cpp cuts words as GPT-2 or Llama 3 do, and this tokenizer (",
                   cut.substr(0, 200),
                   ") does neither; one of a run with --set tokenizer=bpe does, and --format hf writes the "
                   "model in any case");
}

void describe_tokenizer(Metadata& metadata, const std::string& text, uint32_t vocabulary, int64_t end_id) {
  const json tokenizer = json::parse(text);
  const json& model = tokenizer.at("model");
  if (model.value("type", "") != "BPE" || model.value("byte_fallback", false))
    fail<ValueError>("GGUF: a tokenizer of the kind '", model.value("type", "?"),
                     "' is not written; byte-level BPE is, as of a run with --set tokenizer=bpe");
  std::vector<std::string> tokens(vocabulary), merges;
  std::vector<int32_t> types(vocabulary, user_token);
  for (uint32_t i = 0; i < vocabulary; ++i) tokens[i] = str("[PAD", i, "]");
  const auto put_token = [&](const std::string& token, int64_t id, int32_t type) {
    if (id < 0 || id >= vocabulary)
      fail<ValueError>("GGUF: the token '", token, "' has the id ", id, " of ", vocabulary);
    tokens[static_cast<size_t>(id)] = token;
    types[static_cast<size_t>(id)] = type;
  };
  for (const auto& [token, id] : model.at("vocab").items()) put_token(token, id.get<int64_t>(), normal_token);
  for (const json& added : tokenizer.value("added_tokens", json::array()))
    put_token(added.at("content").get<std::string>(), added.at("id").get<int64_t>(),
              added.value("special", false) ? control_token : user_token);
  for (const json& merge : model.at("merges"))
    merges.push_back(merge.is_string()
                         ? merge.get<std::string>()
                         : merge.at(0).get<std::string>() + " " + merge.at(1).get<std::string>());
  metadata.set("tokenizer.ggml.model", std::string_view("gpt2"));
  metadata.set("tokenizer.ggml.pre", std::string_view(words_of(tokenizer)));
  metadata.set("tokenizer.ggml.tokens", tokens);
  metadata.set("tokenizer.ggml.token_type", types);
  metadata.set("tokenizer.ggml.merges", merges);
  metadata.set("tokenizer.ggml.add_bos_token", false);
  if (end_id >= 0) metadata.set("tokenizer.ggml.eos_token_id", static_cast<uint32_t>(end_id));
}

}  // namespace

GgufType gguf_type(std::string_view name) {
  if (name == "float32") return GgufType::f32;
  if (name == "float16") return GgufType::f16;
  if (name == "q8_0") return GgufType::q8_0;
  fail<ValueError>("'", name, "' is none of float32, float16 and q8_0");
}

std::string gguf_bytes(const HuggingFaceModel& model, const GgufOptions& options) {
  const json config = json::parse(model.config);
  const std::string kind = config.value("model_type", "");
  if (kind != "llama" && kind != "qwen3" && kind != "gpt2")
    fail<ValueError>("GGUF: a model of the kind '", kind, "' is not written; llama, qwen3 and gpt2 are");
  Metadata metadata;
  metadata.set("general.architecture", std::string_view(kind));
  metadata.set("general.type", std::string_view("model"));
  metadata.set("general.name", std::string_view(options.name.empty() ? "weft" : options.name));
  metadata.set("general.quantization_version", uint32_t{2});
  // llama.cpp's LLAMA_FTYPE: what most matrices are.
  metadata.set("general.file_type", options.type == GgufType::f32   ? uint32_t{0}
                                    : options.type == GgufType::f16 ? uint32_t{1}
                                                                    : uint32_t{7});
  if (kind == "gpt2")
    describe_gpt2(metadata, config);
  else
    describe_llama(metadata, config, kind);
  if (!options.tokenizer.empty())
    describe_tokenizer(metadata, options.tokenizer, whole(config, "vocab_size"), options.end_id);
  else
    metadata.set("tokenizer.ggml.model", std::string_view("no_vocab"));

  std::vector<WrittenTensor> tensors;
  for (const auto& [theirs, stored] : model.tensors) {
    const std::optional<std::string> name = name_of(theirs);
    if (!name) fail<ValueError>("GGUF: '", theirs, "' has no place in a model of the kind '", kind, "'");
    Array values = stored.to(float32);
    if (kind == "gpt2" && values.rank() == 2 && name->starts_with("blk."))
      values = kernels::permute(values, std::array{1, 0});
    if (kind == "llama" && (name->find(".attn_q.") != std::string::npos))
      values = with_pairs(values, whole(config, "num_attention_heads"));
    if (kind == "llama" && (name->find(".attn_k.") != std::string::npos))
      values = with_pairs(values, whole(config, "num_key_value_heads"));
    tensors.push_back({*name, values});
  }

  std::string file = "GGUF";
  put(file, uint32_t{3});
  put(file, static_cast<uint64_t>(tensors.size()));
  put(file, metadata.count());
  file += metadata.bytes();
  uint64_t data = 0;
  for (const WrittenTensor& tensor : tensors) {
    const GgufTensor type = gguf_tensor(tensor.values, options.type);
    put_text(file, tensor.name);
    put(file, static_cast<uint32_t>(tensor.values.rank()));
    for (int axis = tensor.values.rank(); axis-- > 0;)
      put(file, static_cast<uint64_t>(tensor.values.dim(axis)));
    put(file, static_cast<uint32_t>(type));
    put(file, data);
    data += aligned(gguf_size(tensor.values, type));
  }
  file.reserve(aligned(file.size()) + data);
  for (const WrittenTensor& tensor : tensors) {
    file.resize(aligned(file.size()), '\0');
    put_values(file, tensor.values, gguf_tensor(tensor.values, options.type), tensor.name);
  }
  file.resize(aligned(file.size()), '\0');
  return file;
}

}  // namespace weft
