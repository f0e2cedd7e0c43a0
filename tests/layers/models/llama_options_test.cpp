// What is set of a Llama beyond the published one: each setting alone and all of them.
#include <doctest/doctest.h>
#include <weft/layers/models/llama.h>
#include <weft/layers/models/registry.h>
#include <weft/lib/array/random.h>

#include "decoding.h"
#include "model_reference.h"

namespace weft::test {

namespace {

using Scaling = RotaryFrequencies::Scaling;

struct Option {
  const char* name;
  std::function<void(LlamaConfig&)> set;
};

const std::vector<Option>& options() {
  static const std::vector<Option> all = {
      {"qk_norm", [](LlamaConfig& c) { c.qk_norm = true; }},
      {"logit_softcap", [](LlamaConfig& c) { c.logit_softcap = 0.5; }},
      {"relu2", [](LlamaConfig& c) { c.activation = Activation::relu2; }},
      {"value_embeddings",
       [](LlamaConfig& c) { c.value_embeddings = ValueEmbeddings::alternate, c.n_embd = 48; }},
      {"window_pattern", [](LlamaConfig& c) { c.window = 3, c.window_pattern = "LG"; }},
      {"rope linear", [](LlamaConfig& c) { c.rope_scaling = Scaling::linear, c.rope_factor = 3; }},
      {"rope llama3",
       [](LlamaConfig& c) {
         c.rope_scaling = Scaling::llama3, c.rope_factor = 3, c.rope_base = 100, c.rope_original_context = 64;
       }},
      {"embedding_norm", [](LlamaConfig& c) { c.embedding_norm = true; }},
      {"residual_mix", [](LlamaConfig& c) { c.residual_mix = true; }},
      {"all", [](LlamaConfig& c) {
         for (const Option& option : options())
           if (std::string(option.name) != "all" && std::string(option.name) != "rope linear") option.set(c);
       }}};
  return all;
}

LlamaConfig small_with(const Option& option) {
  LlamaConfig config{
      .vocab_size = 29, .block_size = 40, .n_layer = 3, .n_head = 4, .n_kv_head = 2, .n_embd = 24};
  option.set(config);
  return config;
}

/// The model with no parameter at a first value that hides it.
void stir(Llama& model) {
  uint64_t stream = 0;
  for (const NamedTensor& p : model.parameters()) {
    Tensor(p.tensor).set_value(random_normal(p.tensor.shape(), p.tensor.rank() == 1 ? 1.0 : 0.0, 0.2,
                                             random_key(5, ++stream), float32));
  }
}

}  // namespace

TEST_CASE("llama options: logits, loss and every gradient equal plain PyTorch's") {
  const StateDict file = model_file("llama_options.h5");
  for (const std::string& name : file.keys()) {
    CAPTURE(name);
    check_model<Llama, LlamaConfig>(file.dict(name));
  }
  CHECK(file.keys().size() == 11);
}

TEST_CASE("llama options: decoding with a cache has the bits of the full pass") {
  for (const Option& option : options()) {
    CAPTURE(std::string(option.name));
    const RandomScope random({.seed = 1});
    Llama model(small_with(option));
    stir(model);
    const NoGrad no_grad;
    check_decoding(model, 29, 40);
  }
}

TEST_CASE("llama options: micro-batches, documents and recomputed blocks change no bit of a gradient") {
  for (const Option& option : options()) {
    CAPTURE(std::string(option.name));
    const RandomScope random({.seed = 1});
    LlamaConfig config = small_with(option);
    Llama model(config);
    stir(model);
    check_documents_of(model, 29);
    config.dropout = 0.1;
    Llama dropping(config);
    stir(dropping);
    check_micro_batches(
        dropping, {.inputs = some_ids({4, 9}, 29), .targets = some_ids({4, 9}, 29), .lengths = {9, 5, 1, 7}});
  }
}

TEST_CASE("llama options: first values, names and how many parameters there are") {
  const RandomScope random({.seed = 1});
  LlamaConfig config{.vocab_size = 65, .n_layer = 3, .n_head = 4, .n_kv_head = 2, .n_embd = 128};
  const int64_t C = 128, D = 32, plain = Llama(config).parameter_count();
  config.qk_norm = true;
  CHECK(Llama(config).parameter_count() == plain + 3 * 2 * D);
  config.qk_norm = false, config.activation = Activation::relu2;
  CHECK(Llama(config).parameter_count() == plain - 3 * 3 * C * 344 + 3 * 2 * C * 4 * C);
  config.activation = Activation::silu, config.value_embeddings = ValueEmbeddings::alternate;
  const Llama valued(config);
  CHECK(valued.parameter_count() == plain + 2 * (65 * 2 * D + 2 * 32));
  CHECK(valued.blocks[0].value_embedding != nullptr);
  CHECK(valued.blocks[1].value_embedding == nullptr);
  CHECK(valued.blocks[2].value_embedding != nullptr);
  CHECK(max(abs(valued.blocks[0].attention.value_gate->weight)).item() == 0);
  config.value_embeddings = ValueEmbeddings::none, config.residual_mix = true, config.zero_init = true;
  const Llama mixed(config);
  CHECK(mixed.parameter_count() == plain + 3 * 2 * C);
  for (const NamedTensor& p : mixed.parameters()) {
    CAPTURE(p.name);
    const bool zero = p.name.ends_with("attention.output.weight") || p.name.ends_with("down.weight") ||
                      p.name == "output.weight";
    if (p.name.ends_with("carry")) CHECK(p.tensor.value().identical(Array::ones({C})));
    if (p.name.ends_with("recall")) CHECK(p.tensor.value().identical(Array::full({C}, 0.1, float32)));
    CHECK((max(abs(p.tensor)).item() == 0) == zero);
  }
  config.window = 5, config.window_pattern = "LLG";
  const Llama windowed(config);
  CHECK(windowed.blocks[1].attention.options.window == 5);
  CHECK(windowed.blocks[2].attention.options.window == 0);
}

TEST_CASE("llama options: a state without them is the model that was, and one with them comes back") {
  StateDict old;
  for (const auto& [name, value] : LlamaConfig{.vocab_size = 29}.state().entries())
    if (const std::string key = name;
        key == "vocab_size" || key == "block_size" || key.starts_with("n_") || key == "tie_embeddings")
      old.set(key, std::get<int64_t>(value));
  CHECK(identical(LlamaConfig::from_state(old).state(), LlamaConfig{.vocab_size = 29}.state()));
  for (const Option& option : options()) {
    CAPTURE(std::string(option.name));
    const LlamaConfig config = small_with(option);
    CHECK(identical(LlamaConfig::from_state(config.state()).state(), config.state()));
    CHECK(config.state().text("must_know") != "");
  }
}

TEST_CASE("llama options: what is out of range is refused by name") {
  const auto refused = [](const std::function<void(LlamaConfig&)>& set,
                          const std::vector<std::string>& parts) {
    refuses<ValueError>([&] { Llama model(small_with({"", set})); }, parts);
  };
  refused([](LlamaConfig& c) { c.window_pattern = "LXG", c.window = 3; },
          {"window_pattern = 'LXG'", "L for"});
  refused([](LlamaConfig& c) { c.window_pattern = "LG"; }, {"window_pattern = 'LG'", "window = 0"});
  refused([](LlamaConfig& c) { c.rope_factor = 0.5; }, {"rope_factor = 0.5"});
  refused([](LlamaConfig& c) { c.rope_low_freq_factor = 4; }, {"rope_low_freq_factor = 4", "below"});
  refused([](LlamaConfig& c) { c.rope_original_context = 0; }, {"rope_original_context = 0"});
  refused([](LlamaConfig& c) { c.logit_softcap = -1; }, {"logit_softcap = -1"});
}

TEST_CASE("best: a Llama under other defaults, which what is given changes") {
  const RandomScope random({.seed = 1});
  const ModelEntry &best = models().at("best"), &llama = models().at("llama");
  const DataShape data{.vocab_size = 29};
  const auto config_of = [&](const ModelEntry& entry, const SettingValues& given) {
    return LlamaConfig::from_state(entry.settings_for(given, data));
  };
  CHECK(config_of(best, {}).qk_norm);
  CHECK_FALSE(config_of(llama, {}).qk_norm);
  CHECK_FALSE(config_of(best, {{"qk_norm", false}}).qk_norm);
  CHECK(best.defaults.boolean("qk_norm"));
  CHECK(llama.defaults.entries().empty());
  for (const Setting& s : best.settings) {
    CAPTURE(s.name);
    if (best.defaults.contains(s.name)) CHECK(s.value == best.defaults.at(s.name));
    // What a file means that lacks it stays.
    const auto same = std::ranges::find(llama.settings, s.name, &Setting::name);
    CHECK(s.value_before() == same->value_before());
  }
  const auto model = best.make(best.settings_for({{"n_embd", int64_t{16}}, {"n_layer", int64_t{2}}}, data));
  CHECK(model->kind() == "llama");
  CHECK(identical(make_model("llama", model->config_state())->config_state(), model->config_state()));
  refuses<ValueError>(
      [] {
        register_model<Llama>("worse", nullptr, {{"qk_norm", int64_t{3}}});
      },
      {"worse", "qk_norm = 3"});
}

}  // namespace weft::test
