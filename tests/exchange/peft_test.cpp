#include <doctest/doctest.h>
#include <weft/autograd/ops.h>
#include <weft/exchange/peft.h>
#include <weft/layers/models/registry.h>
#include <weft/lib/array/random.h>
#include <weft/lib/files/safetensors.h>

#include <nlohmann/json.hpp>

#include "checks.h"
#include "folder.h"

namespace weft::test {
namespace {

const std::string reference = WEFT_SOURCE_DIR "/tests/reference/";

/// Adapters that peft wrote, the model of transformers that they are of, and both as ours.
struct Case {
  explicit Case(const std::string& name)
      : path(reference + "peft/" + name),
        expected(path + "/expected.safetensors"),
        base([&] {
          const std::string folder = reference + "hugging_face/" + expected.metadata().at("model");
          return from_hugging_face(read_hugging_face(folder), folder);
        }()),
        theirs(read_peft(path)),
        ours(from_peft(theirs, base, path)) {}

  /// The base with what comes in full.
  BareModel whole() const {
    BareModel all = base;
    all.config = ours.config;
    for (const std::string& name : ours.weights.keys())
      if (adapted_layer(name).empty()) all.weights.set(name, ours.weights.array(name));
    return all;
  }
  std::unique_ptr<Model> model() const {
    const NoInit no_init;
    std::unique_ptr<Model> made = make_model(base.kind, ours.config);
    add_lora(*made, ours.weights, ours.alphas);
    StateDict all = whole().weights;
    for (const std::string& name : ours.weights.keys()) all.set(name, ours.weights.array(name));
    made->load_state_dict(all);
    made->eval();
    return made;
  }
  Batch batch() const {
    const auto has = [&](const char* name) { return expected.entries().contains(name); };
    Batch batch{expected.read(has("image") ? "image" : "ids"), {}};
    if (has("lengths")) {
      const Array lengths = expected.read("lengths");
      batch.lengths.assign(lengths.values<int64_t>().begin(), lengths.values<int64_t>().end());
    }
    if (!has("target_ids")) return batch;
    // What follows the start token, and a target that nothing reads.
    const Array ids = expected.read("target_ids");
    batch.targets = Array::zeros(ids.shape(), int64);
    for (int64_t i = 0; i + 1 < ids.size(); ++i)
      batch.targets.mutable_data<int64_t>()[i] = ids.data<int64_t>()[i + 1];
    return batch;
  }

  std::string path;
  SafetensorsFile expected;
  BareModel base;
  PeftAdapters theirs;
  BareAdapters ours;
};

PeftAdapters with(PeftAdapters adapters, const std::string& key, const nlohmann::json& value) {
  nlohmann::json config = nlohmann::json::parse(adapters.config);
  config[key] = value;
  adapters.config = config.dump();
  return adapters;
}

/// The gradients of theirs, as ours are named.
StateDict gradients_of(const Case& c) {
  PeftAdapters gradients{c.theirs.config, {}};
  constexpr std::string_view prefix = "gradient.";
  for (const auto& [name, entry] : c.expected.entries())
    if (name.starts_with(prefix))
      gradients.tensors.emplace(name.substr(prefix.size()), c.expected.read(name));
  return from_peft(gradients, c.base, c.path).weights;
}

}  // namespace

TEST_CASE("peft: from its adapters come its logits and gradients, and back the same tensors") {
  for (const char* name :
       {"gpt2", "gpt2-all", "gpt2-new-classes", "llama", "llama-all-by-root", "bert-classes", "t5", "vit"}) {
    CAPTURE(std::string(name));
    const Case c(name);
    const std::unique_ptr<Model> model = c.model();
    const Tensor logits = model->logits(c.batch()), weights(c.expected.read("weights"));
    // What is padding has a weight of 0.
    CHECK(difference((logits * weights).value(), (Tensor(c.expected.read("logits")) * weights).value(),
                     5e-5) == "");
    sum(logits * weights).backward();
    std::map<std::string, Tensor> found;
    for (const NamedTensor& p : model->parameters()) found.emplace(p.name, p.tensor.grad());
    const StateDict wanted = gradients_of(c);
    CHECK(wanted.size() == 2 * c.ours.alphas.size());
    for (const std::string& parameter : wanted.keys()) {
      CAPTURE(parameter);
      REQUIRE(found.contains(parameter));
      Tensor own = found.at(parameter);
      // One A of theirs is that of query, key and value.
      const size_t at = parameter.find("attention.");
      if (c.base.kind == "gpt2" && parameter.ends_with(".lora_A") && at != std::string::npos &&
          !parameter.ends_with("output.lora_A")) {
        const std::string block = parameter.substr(0, at);
        own = found.at(block + "attention.query.lora_A") + found.at(block + "attention.key.lora_A") +
              found.at(block + "attention.value.lora_A");
      }
      CHECK(difference(own.value(), wanted.array(parameter), 2e-4) == "");
    }

    const PeftAdapters again = to_peft(c.whole(), c.ours);
    for (const auto& [tensor, array] : again.tensors) {
      CAPTURE(tensor);
      if (c.base.kind == "vit") continue;  // whose modules have other names since transformers 5
      REQUIRE(c.theirs.tensors.contains(tensor));
      CHECK(array.identical(c.theirs.tensors.at(tensor)));
    }
    CHECK(again.tensors.size() == c.theirs.tensors.size());
    const BareAdapters same = from_peft(again, c.base, c.path);
    CHECK(identical(same.weights, c.ours.weights));
    for (const auto& [layer, alpha] : c.ours.alphas) CHECK(same.alphas.at(layer) == doctest::Approx(alpha));
  }
}

TEST_CASE(
    "peft: adapter_config.json says what peft needs, modules by their last parts where that is enough") {
  const auto config_of = [](const char* name) {
    const Case c(name);
    return nlohmann::json::parse(to_peft(c.whole(), c.ours).config);
  };
  nlohmann::json config = config_of("gpt2");
  CHECK(config["target_modules"] == nlohmann::json{"c_attn"});
  CHECK(config["fan_in_fan_out"] == true);
  CHECK(config["task_type"] == "CAUSAL_LM");
  CHECK(config["r"] == 3);
  CHECK(config["lora_alpha"] == 5);
  CHECK(config["modules_to_save"].is_null());
  config = config_of("gpt2-all");
  CHECK(config["target_modules"] == nlohmann::json({"c_attn", "c_fc", "c_proj"}));
  CHECK(config["rank_pattern"]["transformer.h.1.mlp.c_proj"] == 3);
  CHECK(config["alpha_pattern"]["transformer.h.1.attn.c_proj"] == 9);
  CHECK_FALSE(config["alpha_pattern"].contains("transformer.h.0.attn.c_proj"));
  config = config_of("gpt2-new-classes");
  CHECK(config["task_type"] == "SEQ_CLS");
  CHECK(config["modules_to_save"] == nlohmann::json{"score"});
  config = config_of("t5");
  CHECK(config["target_modules"] == nlohmann::json({"q", "v"}));
  CHECK(config["task_type"] == "SEQ_2_SEQ_LM");
  CHECK(config_of("vit")["target_modules"] == nlohmann::json({"query", "value"}));

  Case c("llama");
  c.ours.alphas.erase("blocks.1.attention.value");
  config = nlohmann::json::parse(to_peft(c.whole(), c.ours).config);
  CHECK(config["target_modules"] == nlohmann::json({"model.layers.0.self_attn.v_proj", "q_proj"}));
}

TEST_CASE(
    "peft: adapters of some of query, key and value are one of c_attn, and are read back as they were") {
  const Case c("gpt2");
  BareAdapters ours{.config = c.base.config};
  uint64_t number = 0;
  for (const std::string layer :
       {"blocks.0.attention.query", "blocks.0.attention.value", "blocks.1.attention.key"}) {
    const int64_t rank = layer.ends_with("key") ? 1 : static_cast<int64_t>(++number);
    ours.weights.set(layer + ".lora_A", random_normal({rank, 8}, 0, 1, random_key(number, 1)));
    ours.weights.set(layer + ".lora_B", random_normal({8, rank}, 0, 1, random_key(number, 2)));
    ours.alphas[layer] = 4.0 * static_cast<double>(rank);
  }
  const PeftAdapters theirs = to_peft(c.base, ours);
  const Array A = theirs.tensors.at("base_model.model.transformer.h.0.attn.c_attn.lora_A.weight"),
              B = theirs.tensors.at("base_model.model.transformer.h.0.attn.c_attn.lora_B.weight");
  CHECK(A.shape() == Shape{3, 8});
  CHECK(B.shape() == Shape{24, 3});
  const nlohmann::json config = nlohmann::json::parse(theirs.config);
  CHECK(config["r"] == 3);
  CHECK(config["lora_alpha"] == 12);
  CHECK(config["rank_pattern"] == nlohmann::json{{"transformer.h.1.attn.c_attn", 1}});
  CHECK(config["alpha_pattern"] == nlohmann::json{{"transformer.h.1.attn.c_attn", 4}});
  // What they add to c_attn, by its own weights and by ours.
  const Tensor change = matmul(Tensor(B), Tensor(A));  // of one scale, 4
  const auto own = [&](const std::string& layer) {
    return matmul(Tensor(ours.weights.array(layer + ".lora_B")),
                  Tensor(ours.weights.array(layer + ".lora_A")));
  };
  CHECK(slice(change, 0, 0, 8).value().identical(own("blocks.0.attention.query").value()));
  CHECK(slice(change, 0, 8, 16).value().identical(Array::zeros({8, 8})));
  CHECK(slice(change, 0, 16, 24).value().identical(own("blocks.0.attention.value").value()));

  const BareAdapters again = from_peft(theirs, c.base, "there");
  CHECK(identical(again.weights, ours.weights));
  CHECK(again.alphas == ours.alphas);

  ours.alphas["blocks.0.attention.value"] = 1;
  refuses<ValueError>([&] { to_peft(c.base, ours); },
                      {"blocks.0.attention.value", "alpha / rank is 0.5", "4"});
}

TEST_CASE("peft: of several patterns that fit the first counts") {
  const Case c("gpt2");
  const auto alpha = [&](const nlohmann::ordered_json& patterns, const char* layer) {
    nlohmann::ordered_json config = nlohmann::ordered_json::parse(c.theirs.config);
    config["alpha_pattern"] = patterns;
    return from_peft({config.dump(), c.theirs.tensors}, c.base, "there").alphas.at(layer);
  };
  const char* const first = "blocks.0.attention.query";
  const char* const second = "blocks.1.attention.query";
  const double usual = alpha(nullptr, first);
  CHECK(usual != 3);
  const nlohmann::ordered_json one_before{{"h.0.attn.c_attn", 3}, {"attn.c_attn", 7}},
      all_before{{"attn.c_attn", 7}, {"h.0.attn.c_attn", 3}};
  CHECK(alpha(one_before, first) == 3);
  CHECK(alpha(one_before, second) == 7);
  CHECK(alpha(all_before, first) == 7);
  CHECK(alpha({{"h.1.attn.c_attn", 3}}, first) == usual);
}

TEST_CASE("peft: adapters that were never trained keep all three of c_attn") {
  Case c("gpt2");
  for (auto& [name, array] : c.theirs.tensors)
    if (name.ends_with("lora_B.weight")) array = Array::zeros(array.shape());
  CHECK(from_peft(c.theirs, c.base, c.path).alphas.size() == 6);
}

TEST_CASE("peft: what weft does not have is refused by name") {
  const Case c("gpt2");
  const auto refused = [&](const PeftAdapters& adapters, const std::vector<std::string>& parts) {
    refuses<FileError>([&] { from_peft(adapters, c.base, "there"); }, parts);
  };
  refused(with(c.theirs, "peft_type", "IA3"), {"there", "peft_type", "IA3", "LORA"});
  refused(with(c.theirs, "bias", "all"), {"bias", "all", "none"});
  refused(with(c.theirs, "use_dora", true), {"use_dora"});
  refused(with(c.theirs, "lora_bias", true), {"lora_bias"});
  refused(with(c.theirs, "init_lora_weights", "pissa"), {"init_lora_weights", "pissa"});
  refused(with(c.theirs, "layer_replication", {{0, 1}}), {"layer_replication"});
  refused(with(c.theirs, "alpha_pattern", {{"h.*.c_attn", 3}}), {"alpha_pattern", "h.*.c_attn"});
  refused({"{", c.theirs.tensors}, {"there/adapter_config.json"});
  refused({c.theirs.config, {}}, {"there", "no adapters"});

  const std::string module = "base_model.model.transformer.h.0.attn.c_attn.";
  const auto changed = [&](const std::string& name, const std::optional<Array>& array) {
    PeftAdapters adapters = c.theirs;
    adapters.tensors.erase(name);
    if (array) adapters.tensors.emplace(name, *array);
    return adapters;
  };
  refused(changed(module + "lora_B.weight", {}), {"h.0.attn.c_attn", "has no lora_B"});
  refused(changed(module + "lora_A.weight", {}), {"h.0.attn.c_attn", "has no lora_A"});
  refused(changed(module + "lora_B.weight", Array::zeros({24, 2})), {"c_attn", "(24, 2)", "different ranks"});
  refused(changed(module + "lora_B.weight", Array::zeros({25, 3})), {"c_attn", "(25, 3)", "3"});
  refused(changed(module + "lora_B.weight", Array::zeros({24, 3}, int32)), {"c_attn", "int32"});
  refused(changed(module + "lora_magnitude_vector", Array::zeros({24})),
          {"lora_magnitude_vector", "another kind"});
  refused(changed("transformer.h.0.attn.c_attn.lora_A.weight", Array::zeros({3, 8})),
          {"no tensor of an adapter"});
  refused(changed("base_model.model.transformer.h.7.attn.c_attn.lora_A.weight", Array::zeros({3, 8})),
          {"h.7.attn.c_attn", "has no lora_B"});
  PeftAdapters more =
      changed("base_model.model.transformer.h.7.attn.c_attn.lora_A.weight", Array::zeros({3, 8}));
  more.tensors.emplace("base_model.model.transformer.h.7.attn.c_attn.lora_B.weight", Array::zeros({24, 3}));
  refused(more, {"transformer.h.7.attn.c_attn", "no such layer"});
  refused(changed("base_model.model.colour.weight", Array::zeros({3})), {"colour.weight"});
  refused(changed("base_model.model.lm_head.weight", Array::zeros({29, 8})),
          {"lm_head.weight", "transformer.wte.weight", "shares"});

  const Folder folder;
  folder.write("adapter_config.json", c.theirs.config);
  CHECK(is_peft(folder.name()));
  folder.write("adapter_model.bin", "x");
  refuses<FileError>([&] { read_peft(folder.name()); }, {"adapter_model.bin", "save it"});
}

TEST_CASE("peft: what peft cannot keep is refused by name") {
  const Case c("gpt2");
  const auto refused = [&](const char* name, const std::vector<std::string>& parts) {
    BareAdapters more = c.ours;
    more.weights.set(name, c.base.weights.array(name));
    refuses<ValueError>([&] { to_peft(c.base, more); }, parts);
  };
  refused("token_embedding.weight", {"'token_embedding.weight'", "lm_head.weight too", "--format hf"});
  refused("blocks.0.attention.query.bias", {"c_attn", "has an adapter"});
  refuses<ValueError>([&] { to_peft(c.base, {}); }, {"no adapters"});
  BareModel other = c.base;
  other.kind = "speech";
  refuses<ValueError>([&] { to_peft(other, c.ours); }, {"speech"});
  BareAdapters elsewhere = c.ours;
  elsewhere.alphas["blocks.9.attention.query"] = 1;
  refuses<ValueError>([&] { to_peft(c.base, elsewhere); }, {"'blocks.9.attention.query'"});
  // A whole module with all that is its own.
  BareAdapters norm = c.ours;
  norm.weights.set("norm.bias", Array::ones({8}));
  BareModel whole = c.base;
  whole.weights.set("norm.bias", Array::ones({8}));
  const PeftAdapters written = to_peft(whole, norm);
  CHECK(written.tensors.at("base_model.model.transformer.ln_f.weight")
            .identical(c.base.weights.array("norm.weight")));
  CHECK(written.tensors.at("base_model.model.transformer.ln_f.bias").identical(Array::ones({8})));
}

}  // namespace weft::test
