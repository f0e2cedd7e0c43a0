#include <doctest/doctest.h>
#include <weft/exchange/hugging_face.h>
#include <weft/layers/models/decoding/generation.h>
#include <weft/layers/models/registry.h>
#include <weft/lib/files/safetensors.h>

#include <nlohmann/json.hpp>

#include "checks.h"
#include "folder.h"

namespace weft::tools {

using test::difference;
using test::refuses;

namespace {

std::string path_of(const std::string& name) {
  return str(WEFT_SOURCE_DIR "/tests/reference/hugging_face/", name);
}

std::unique_ptr<Model> built(const BareModel& model) {
  const NoInit no_init;
  std::unique_ptr<Model> made = make_model(model.kind, model.config);
  made->load_state_dict(model.weights);
  made->eval();
  return made;
}

/// The rows that count, one behind the other.
Array counting(const Array& logits, const std::vector<int64_t>& lengths) {
  if (logits.rank() < 3 || lengths.empty()) return logits;
  std::vector<float> kept;
  const int64_t T = logits.dim(1), V = logits.dim(2);
  for (size_t b = 0; b < lengths.size(); ++b) {
    const float* row = logits.data<float>() + static_cast<int64_t>(b) * T * V;
    kept.insert(kept.end(), row, row + lengths[b] * V);
  }
  return Array::from(kept, {static_cast<int64_t>(kept.size()) / V, V});
}

nlohmann::json changed(const std::string& config, const std::string& key, const nlohmann::json& value) {
  nlohmann::json root = nlohmann::json::parse(config);
  root[key] = value;
  return root;
}

/// What follows the start token, and a target that nothing reads.
Array behind_start(const Array& ids) {
  Array targets = Array::zeros(ids.shape(), int64);
  const int64_t T = ids.dim(1);
  for (int64_t i = 0; i < ids.size(); ++i)
    if (i % T < T - 1) targets.mutable_data<int64_t>()[i] = ids.data<int64_t>()[i + 1];
  return targets;
}

/// Searches of searches.py: greedy and by beams.
void check_searches(const Model& model, const std::map<std::string, Array>& cases) {
  const auto& generative = dynamic_cast<const GenerativeModel&>(model);
  const auto row = [&](const char* name, int64_t i) {
    std::vector<int64_t> ids;
    for (int64_t k = 0; k < cases.at(name).dim(1); ++k)
      if (const auto id = static_cast<int64_t>(cases.at(name).at({i, k})); id >= 0) ids.push_back(id);
    return ids;
  };
  for (int64_t i = 0; i < cases.at("beams").size(); ++i) {
    CAPTURE(i);
    const BeamSearchOptions options{.beams = static_cast<int64_t>(cases.at("beams").at({i})),
                                    .tokens = static_cast<int64_t>(cases.at("tokens").at({i})),
                                    .length_penalty = cases.at("length_penalty").at({i}),
                                    .end_ids = row("ends", i)};
    CHECK(beam_search(generative, {row("prompt", i)}, options)[0][0].tokens == row("result", i));
    if (options.beams > 1) continue;
    GenerateOptions greedy{.tokens = options.tokens, .sampling = {.temperature = 0}};
    greedy.end_ids = options.end_ids;
    CHECK(generate(generative, row("prompt", i), greedy) == row("result", i));
  }
}

}  // namespace

TEST_CASE("hugging face: from transformers' weights come transformers' logits, and back the same files") {
  for (const char* name :
       {"gpt2", "gpt2-exact-gelu-bfloat16-shards", "llama", "llama-tied-wide-heads", "llama-scaled-rope",
        "llama-linear-rope", "qwen3", "gpt2-classes", "llama-classes", "qwen3-classes", "bert-masked",
        "bert-classes-float16", "t5", "t5-gated-one-decoder-layer", "vit"}) {
    CAPTURE(std::string(name));
    const HuggingFaceModel theirs = read_hugging_face(path_of(name));
    const BareModel ours = from_hugging_face(theirs, path_of(name));
    const std::map<std::string, Array> given = read_safetensors(path_of(name) + "/expected.safetensors");
    Batch batch{given.contains("image") ? given.at("image") : given.at("ids"), {}};
    if (given.contains("target_ids")) batch.targets = behind_start(given.at("target_ids"));
    if (given.contains("lengths")) {
      const std::span<const int64_t> lengths = given.at("lengths").values<int64_t>();
      batch.lengths.assign(lengths.begin(), lengths.end());
    }
    const NoGrad no_grad;
    const std::unique_ptr<Model> model = built(ours);
    const Array found = model->logits(batch).value();
    REQUIRE(found.shape() == given.at("logits").shape());
    CHECK(difference(counting(found, batch.lengths), counting(given.at("logits"), batch.lengths), 5e-5) ==
          "");

    if (given.contains("beams")) check_searches(*model, given);

    const HuggingFaceModel again = to_hugging_face(ours);
    for (const auto& [key, array] : again.tensors) {
      CAPTURE(key);
      REQUIRE(theirs.tensors.contains(key));
      CHECK(array.identical(theirs.tensors.at(key).to(float32)));
    }
    const auto before = nlohmann::json::parse(theirs.config), after = nlohmann::json::parse(again.config);
    for (const auto& [key, value] : after.items()) {
      CAPTURE(key);
      if (key != "dtype" && before.contains(key)) CHECK(value == before.at(key));
    }
    const BareModel twice = from_hugging_face(again, "again");
    CHECK(identical(twice.config, ours.config));
    CHECK(identical(twice.weights, ours.weights));
    CHECK(twice.end_id == ours.end_id);
  }
}

TEST_CASE("hugging face: hidden states are transformers', at each layer") {
  const std::map<std::string, Array> states =
      read_safetensors(WEFT_SOURCE_DIR "/tests/reference/hidden_states.safetensors");
  for (const char* name : {"gpt2", "gpt2-classes", "llama", "llama-tied-wide-heads", "qwen3", "bert-masked",
                           "bert-classes-float16", "t5", "t5-gated-one-decoder-layer", "vit"}) {
    CAPTURE(std::string(name));
    const std::unique_ptr<Model> model =
        built(from_hugging_face(read_hugging_face(path_of(name)), path_of(name)));
    const std::map<std::string, Array> given = read_safetensors(path_of(name) + "/expected.safetensors");
    Batch batch{given.contains("image") ? given.at("image") : given.at("ids"), {}};
    if (given.contains("lengths")) {
      const std::span<const int64_t> lengths = given.at("lengths").values<int64_t>();
      batch.lengths.assign(lengths.begin(), lengths.end());
    }
    const NoGrad no_grad;
    CHECK(model->hidden_layers() == 2);
    for (int64_t layer = 0; layer <= 2; ++layer) {
      CAPTURE(layer);
      const HiddenStates found = model->hidden_states(batch, layer);
      CHECK(found.lengths == batch.lengths);
      CHECK(difference(counting(found.states.value(), batch.lengths),
                       counting(states.at(str(name, ".", layer)), batch.lengths), 5e-5) == "");
    }
  }
}

TEST_CASE("hugging face: classes keep their names, and numbers are none") {
  BareModel ours = from_hugging_face(read_hugging_face(path_of("bert-classes-float16")), "bert");
  CHECK(ours.class_names.empty());
  const auto classes = static_cast<size_t>(ours.config.integer("n_class"));
  for (size_t i = 0; i < classes; ++i) ours.class_names.push_back(str("kind ", static_cast<char>('z' - i)));
  const HuggingFaceModel theirs = to_hugging_face(ours);
  const auto config = nlohmann::json::parse(theirs.config);
  CHECK(config.at("id2label").size() == classes);
  CHECK(config.at("id2label").at("0") == "kind z");
  CHECK(config.at("label2id").at("kind y") == 1);
  CHECK(from_hugging_face(theirs, "again").class_names == ours.class_names);
}

TEST_CASE("hugging face: a folder is written whole, and a model without biases as one with zeros") {
  BareModel ours = from_hugging_face(read_hugging_face(path_of("gpt2")), "gpt2");
  CHECK(ours.end_id == 5);
  StateDict weights;
  for (const auto& [name, value] : ours.weights.entries())
    if (!name.ends_with(".bias")) weights.set(name, std::get<Array>(value));
  ours.weights = weights;
  ours.config.set("bias", 0);
  const Folder folder;
  write_hugging_face(folder.path("a/b"), to_hugging_face(ours));
  CHECK(SafetensorsFile(folder.path("a/b/model.safetensors")).metadata().at("format") == "pt");
  const BareModel again = from_hugging_face(read_hugging_face(folder.path("a/b")), "again");
  CHECK(again.config.integer("bias") == 1);
  CHECK(again.weights.array("blocks.1.attention.key.bias").identical(Array::zeros({8}, float32)));
  const NoGrad no_grad;
  const Batch batch{Array::from<int64_t>({1, 2, 3, 4}, {1, 4}), {}};
  CHECK(built(again)->logits(batch).value().identical(built(ours)->logits(batch).value()));
}

TEST_CASE("hugging face: a T5 with an output layer of its own has it, and one with a copy shares it") {
  HuggingFaceModel t5 = read_hugging_face(path_of("t5-gated-one-decoder-layer"));
  const BareModel shared = from_hugging_face(t5, "DIR");
  CHECK(shared.config.integer("tie_embeddings") == 1);
  CHECK(shared.config.integer("scale_output") == 0);
  t5.tensors["lm_head.weight"] = t5.tensors.at("shared.weight").copy();
  CHECK(identical(from_hugging_face(t5, "DIR").weights, shared.weights));
  t5.tensors["lm_head.weight"] = Array::full({29, 8}, 0.25, float32);
  const BareModel own = from_hugging_face(t5, "DIR");
  CHECK(own.config.integer("tie_embeddings") == 0);
  CHECK(own.weights.array("output.weight").identical(t5.tensors.at("lm_head.weight")));
  const HuggingFaceModel again = to_hugging_face(own);
  CHECK(again.tensors.size() == t5.tensors.size());
  CHECK(identical(from_hugging_face(again, "DIR").config, own.config));
}

TEST_CASE("hugging face: what a config.json may not say") {
  const HuggingFaceModel gpt2 = read_hugging_face(path_of("gpt2")),
                         bert = read_hugging_face(path_of("bert-masked"));
  const auto refused = [](const HuggingFaceModel& model, const std::string& config,
                          std::vector<std::string> parts) {
    CAPTURE(config.substr(0, 200));
    parts.insert(parts.begin(), "DIR: ");
    refuses<FileError>([&] { from_hugging_face({config, model.tensors}, "DIR"); }, parts);
  };
  const auto with = [&](const HuggingFaceModel& model, const std::string& key, const nlohmann::json& value,
                        const std::vector<std::string>& parts) {
    refused(model, changed(model.config, key, value).dump(), parts);
  };
  refused(gpt2, "", {"not JSON", "byte"});
  refused(gpt2, "[]", {"no JSON object"});
  refused(gpt2, "{\"a\":1,\"a\":1}", {"the key \"a\" twice"});
  refused(gpt2, "{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}", {"deeper than 32"});
  refused(gpt2, std::string(2 << 20, ' '), {"2097152 bytes"});
  refused(gpt2, "{\"a\":1e999}", {"out of range"});
  refused(gpt2, "{}", {"architecture is not named", "GPT2LMHeadModel"});
  with(gpt2, "architectures", {"MambaForCausalLM"}, {"MambaForCausalLM", "weft reads", "BertForMaskedLM"});
  with(gpt2, "architectures", "GPT2LMHeadModel", {"architectures is \"GPT2LMHeadModel\"", "a list of texts"});
  with(gpt2, "model_type", "bert", {"model_type 'bert'"});
  with(gpt2, "activation_function", "mish", {"activation_function is \"mish\"", "\"gelu_new\""});
  with(bert, "hidden_act", "relu", {"hidden_act is \"relu\"", "only \"gelu\""});
  with(bert, "position_embedding_type", "relative_key", {"position_embedding_type", "absolute"});
  with(gpt2, "scale_attn_by_inverse_layer_idx", true,
       {"scale_attn_by_inverse_layer_idx is true", "only false"});
  with(gpt2, "n_inner", 33, {"n_inner is 33", "only 32"});
  with(gpt2, "layer_norm_epsilon", 1e-6, {"layer_norm_epsilon is 1e-06"});
  with(gpt2, "n_layer", "2", {"n_layer is \"2\", not a whole number"});
  with(gpt2, "n_layer", 2.5, {"n_layer is 2.5, not a whole number"});
  with(gpt2, "n_layer", uint64_t{1} << 63, {"n_layer is 9223372036854775808"});
  with(gpt2, "n_layer", -1, {"n_layer = -1"});
  with(gpt2, "n_head", 3, {"n_embd = 8", "n_head = 3"});
  with(gpt2, "resid_pdrop", 2, {"dropout = 2"});
  with(gpt2, "eos_token_id", "5", {"eos_token_id is \"5\", not whole numbers"});
  with(gpt2, "n_positions", 13,
       {"do not fit config.json", "position_embedding.weight", "(13, 8)", "(12, 8)"});
  with(gpt2, "n_layer", 3, {"lacks transformer.h.2."});
  with(gpt2, "n_layer", 1, {"holds transformer.h.1.", "more, which weft's gpt2 does not have"});
}

TEST_CASE("hugging face: scaled rotary positions as older files say them, and what no layout holds") {
  const HuggingFaceModel scaled = read_hugging_face(path_of("llama-scaled-rope"));
  const BareModel ours = from_hugging_face(scaled, "DIR");
  CHECK(ours.config.text("rope_scaling") == "llama3");
  nlohmann::json older = nlohmann::json::parse(scaled.config);
  older["rope_scaling"] = older["rope_parameters"];
  older["rope_theta"] = older["rope_parameters"]["rope_theta"];
  older["rope_scaling"].erase("rope_theta");
  // Of both transformers takes the older.
  nlohmann::json both = older;
  both["rope_parameters"]["factor"] = 2 * both["rope_scaling"]["factor"].get<double>();
  CHECK(from_hugging_face({both.dump(), scaled.tensors}, "DIR").config.number("rope_factor") ==
        ours.config.number("rope_factor"));
  older.erase("rope_parameters");
  CHECK(identical(from_hugging_face({older.dump(), scaled.tensors}, "DIR").config, ours.config));
  older["rope_scaling"] = {{"type", "linear"}, {"factor", 2}};
  CHECK(from_hugging_face({older.dump(), scaled.tensors}, "DIR").config.number("rope_factor") == 2);
  const auto refused = [&](const nlohmann::json& rope, const std::vector<std::string>& parts) {
    refuses<FileError>(
        [&] {
          from_hugging_face({changed(older.dump(), "rope_scaling", rope).dump(), scaled.tensors}, "DIR");
        },
        parts);
  };
  refused({{"type", "dynamic"}, {"factor", 2}}, {"DIR: rope_scaling", "type is \"dynamic\"", "\"llama3\""});
  refused({{"rope_type", "yarn"}}, {"rope_type is \"yarn\""});
  refused({{"rope_type", "linear"}}, {"has no factor"});
  refused({{"rope_type", "linear"}, {"factor", 0.5}}, {"rope_factor = 0.5"});

  const HuggingFaceModel qwen3 = read_hugging_face(path_of("qwen3"));
  CHECK(from_hugging_face(qwen3, "DIR").config.integer("qk_norm") == 1);
  refuses<FileError>(
      [&] {
        from_hugging_face({changed(qwen3.config, "use_sliding_window", true).dump(), qwen3.tensors}, "DIR");
      },
      {"use_sliding_window is true"});
  const std::pair<const char*, SettingValue> held_by_nobody[] = {
      {"window", int64_t{3}}, {"activation", std::string("relu2")},
      {"logit_softcap", 2.0}, {"embedding_norm", true},
      {"residual_mix", true}, {"value_embeddings", std::string("all")}};
  for (const auto& [name, value] : held_by_nobody) {
    BareModel model = ours;
    put(model.config, name, value);
    refuses<ValueError>([&] { to_hugging_face(model); }, {std::string("no ") + name, text_of(value)});
  }
}

TEST_CASE("hugging face: what the weights may not be, and what may be left out") {
  const HuggingFaceModel gpt2 = read_hugging_face(path_of("gpt2"));
  const BareModel whole = from_hugging_face(gpt2, "DIR");
  const auto with = [&](const std::string& name, const Array& array) {
    HuggingFaceModel model = gpt2;
    model.tensors[name] = array;
    return model;
  };
  const std::string matrix = "transformer.h.0.attn.c_attn.weight", token = "transformer.wte.weight";
  const auto refused = [](const HuggingFaceModel& model, const std::vector<std::string>& parts) {
    refuses<FileError>([&] { from_hugging_face(model, "DIR"); }, parts);
  };
  refused(with("transformer.h.0.attn.c_attn.scale", Array::ones({1}, float32)),
          {"holds transformer.h.0.attn.c_attn.scale"});
  refused(with(matrix, Array::ones({8, 24}, int32)), {"DIR: tensor " + matrix, "int32, not floating"});
  refused(with(matrix, Array::ones({24}, float32)), {matrix, "(24,), not a matrix"});
  refused(with(matrix, Array::ones({8, 25}, float32)), {matrix, "(25, 8)", "3"});
  refused(with(matrix, Array::ones({24, 8}, float32)), {matrix, "divide"});
  refused(with(matrix, Array::ones({9, 24}, float32)),
          {"blocks.0.attention.query.weight", "(8, 8)", "(8, 9)"});
  refused(with("lm_head.weight", Array::ones({29, 8}, float32)), {"lm_head.weight", "differs from " + token});
  HuggingFaceModel less = gpt2;
  less.tensors.erase(token);
  refused(less, {"DIR: lacks " + token});

  // The tied head alone, names without the body's prefix, constants, and float64.
  less.tensors["lm_head.weight"] = gpt2.tensors.at(token);
  CHECK(identical(from_hugging_face(less, "DIR").weights, whole.weights));
  HuggingFaceModel bare;
  bare.config = gpt2.config;
  for (const auto& [name, array] : gpt2.tensors)
    bare.tensors[name.starts_with("transformer.") ? name.substr(12) : name] = array.to(float64);
  bare.tensors["h.1.attn.bias"] = Array::ones({1, 1, 12, 12}, float32);
  const BareModel found = from_hugging_face(bare, "DIR");
  CHECK(identical(found.weights, whole.weights));
  std::string notes;
  for (const std::string& note : found.notes) notes += note + "\n";
  CHECK(notes.find("not used: h.1.attn.bias") != std::string::npos);
  CHECK(notes.find("wte.weight is rounded from float64") != std::string::npos);

  BareModel unknown = whole;
  unknown.kind = "lstm";
  refuses<ValueError>([&] { to_hugging_face(unknown); }, {"lstm", "gpt2, llama, bert"});
  refuses<FileError>([] { read_hugging_face("/none"); }, {"/none/config.json"});
}

}  // namespace weft::tools
