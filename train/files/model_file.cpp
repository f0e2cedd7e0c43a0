#include <weft/data/text/word_tokenizer.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/hash.h>
#include <weft/lib/files/checkpoint.h>
#include <weft/lib/machine/dry_run.h>
#include <weft/train/files/model_file.h>

#include <algorithm>

namespace weft {
namespace {

constexpr const char *file_kind = "weft model", *first_kind = "weft training";

StateDict state_of(const TrainedOn& t) {
  StateDict state, settings;
  for (const auto& [name, value] : t.settings.entries()) put(settings, name, value);
  state.set("task", t.task);
  state.set("seed", static_cast<int64_t>(t.seed));
  state.set("block_size", t.block_size);
  state.set("newlines", t.newlines);
  state.set("settings", settings);
  return state;
}

/// The settings of a task out of a state; those of a task that this program does not know are left.
SettingValues task_settings(const std::string& task, const StateDict& state) {
  SettingValues values;
  if (const TaskEntry* const entry = tasks().find(task))
    for (const Setting& s : entry->settings) values.set(s.name, taken(state, s));
  return values;
}

TrainedOn trained_on_of(const StateDict& state, const Say& say) {
  for (const std::string& name :
       unknown_names(state, {}, {"task", "seed", "block_size", "newlines", "settings"}))
    say(str("warning: 'model/trained_on/", name, "' was written by a newer weft and is passed over"));
  if (const TaskEntry* const entry = tasks().find(state.text("task")))
    for (const std::string& name : unknown_names(state.dict("settings"), entry->settings))
      say(str("warning: the setting '", name,
              "' of the task was written by a newer weft and is passed over"));
  TrainedOn t{.task = state.text("task"),
              .seed = static_cast<uint64_t>(state.integer("seed")),
              .block_size = state.integer("block_size"),
              .newlines = state.text("newlines")};
  t.settings = task_settings(t.task, state.dict("settings"));
  return t;
}

void check_settings(const ModelFile& file, const Say& say) {
  if (const ModelEntry* const entry = models().find(file.kind))
    for (const std::string& name : unknown_names(file.settings, entry->settings))
      say(str("warning: the setting '", name,
              "' of the model was written by a newer weft and is passed over"));
}

void check_weights(const ModelFile& file) {
  for (const std::string& name : file.weights.keys()) file.weights.array(name);
}

StateDict state_of(const LoraPart& lora) {
  StateDict state, alphas;
  for (const auto& [layer, alpha] : lora.alphas) alphas.set(layer, alpha);
  state.set("base", lora.base);
  state.set("alpha", alphas);
  return state;
}

LoraPart lora_of(const StateDict& state, const Say& say) {
  for (const std::string& name : unknown_names(state, {}, {"base", "alpha"}))
    say(str("warning: 'model/lora/", name, "' was written by a newer weft and is passed over"));
  LoraPart lora{.base = state.text("base"), .alphas = {}};
  const StateDict& alphas = state.dict("alpha");
  for (const std::string& layer : alphas.keys()) lora.alphas.emplace(layer, alphas.number(layer));
  return lora;
}

/// How the weights of a file fit its model: of adapters those that it holds.
LoadReport compare_weights(const ModelFile& file) {
  if (!file.lora) return compare_weights(file.kind, file.settings, file.weights);
  const NoInit no_init;
  const DryRun dry;
  const std::unique_ptr<Model> model = make_model(file.kind, file.settings);
  add_lora(*model, file.weights, file.lora->alphas);
  std::map<std::string, Array> wanted;
  const StateDict state = model->shared_state_dict();
  for (const std::string& name : state.keys())
    if (file.weights.contains(name)) wanted.emplace(name, state.array(name));
  return compare_arrays(wanted, file.weights);
}

void check_tokenizer(const ModelFile& file) {
  if (!file.tokenizer || !file.settings.contains("vocab_size")) return;
  if (const int64_t wanted = file.settings.integer("vocab_size"); file.tokenizer->vocab_size() != wanted)
    fail<StateError>("a vocabulary of ", file.tokenizer->vocab_size(), " for a model of ", wanted);
}

/// The first format: the run's configuration tells what the model part tells now.
ModelFile from_first_format(const StateDict& state) {
  ModelFile file{.kind = state.text("model_kind"), .settings = state.dict("model_config")};
  file.weights = state.dict("model");
  if (state.contains("ema") && state.dict("ema").integer("updates") > 0)
    for (const std::string& name : state.dict("ema").dict("average").keys())
      file.weights.set(name, state.dict("ema").dict("average").array(name));
  if (state.contains("tokenizer")) file.tokenizer = Tokenizer::from_state(state.dict("tokenizer"));
  const StateDict& config = state.dict("config");
  const auto integer = [&](const char* name, int64_t before) {
    return config.contains(name) ? config.integer(name) : before;
  };
  const auto text = [&](const char* name, const char* before) {
    return config.contains(name) ? config.text(name) : std::string(before);
  };
  if (const int64_t end = integer("end_id", -1); end >= 0)
    file.end_ids = {end};
  else if (dynamic_cast<const WordTokenizer*>(file.tokenizer.get()))
    file.end_ids = {WordTokenizer::end};
  file.trained_on = {.task = text("task", "text"),
                     .seed = static_cast<uint64_t>(integer("seed", 1337)),
                     .block_size = integer("block_size", 64),
                     .newlines = text("newlines", "keep")};
  file.trained_on.settings = task_settings(file.trained_on.task, config);
  // What the first `weft import` wrote was a run that had made no update, of no task.
  if (state.dict("optimizer").empty() && state.text("content_hash").empty()) file.trained_on.task.clear();
  return file;
}

}  // namespace

bool is_first_format(const StateDict& state) {
  return state.contains("kind") && state.text("kind") == first_kind;
}

std::string weights_digest(const StateDict& weights) {
  Hasher hasher;
  for (const std::string& name : weights.keys()) {
    const Array& value = weights.array(name);
    hasher.update(str(name, " ", value.dtype(), " ", value.shape(), " "));
    hasher.update({static_cast<const uint8_t*>(value.bytes()), value.nbytes()});
  }
  return to_hex(hasher.digest());
}

void check_finite(const StateDict& weights, const std::string& who) {
  for (const std::string& name : weights.keys())
    if (!weights.array(name).all_finite())
      fail<StateError>(who, "'", name, "' holds a value that is not finite");
}

void ModelFile::check() const {
  if (!models().find(kind))
    fail<ValueError>("the model is of the kind '", kind,
                     "', which this program does not have; the program that "
                     "registers it (register_model<...>(\"",
                     kind, "\")) opens it");
  const LoadReport report = compare_weights(*this);
  if (!report.ok()) fail<StateError>("the weights do not fit the settings of the model\n", report.message());
  check_finite(weights);
}

std::unique_ptr<Model> ModelFile::build() const {
  if (lora) fail<StateError>("it holds adapters alone, without the model that they are of");
  check();
  const NoInit no_init;
  std::unique_ptr<Model> built = make_model(kind, settings);
  built->load_state_dict(weights);
  built->eval();
  return built;
}

StateDict ModelFile::state() const {
  StateDict model;
  model.set("kind", kind);
  model.set("settings", settings);
  model.set("weights", weights);
  if (tokenizer) model.set("tokenizer", tokenizer->state_dict());
  model.set("end_ids", Array::from(end_ids, {static_cast<int64_t>(end_ids.size())}));
  if (!class_names.empty()) {
    StateDict names;
    for (size_t i = 0; i < class_names.size(); ++i) names.set(std::to_string(i), class_names[i]);
    model.set("class_names", names);
  }
  model.set("trained_on", state_of(trained_on));
  if (lora) {
    model.set("lora", state_of(*lora));
    model.set("must_know", "lora");
  }
  StateDict state;
  state.set("kind", file_kind);
  state.set("model", model);
  return state;
}

ModelFile ModelFile::from_state(const StateDict& state, const Say& say) {
  if (!state.contains("kind")) fail<StateError>("it says not what it is");
  ModelFile file;
  if (is_first_format(state)) {
    file = from_first_format(state);
  } else {
    if (state.text("kind") != file_kind || !state.contains("model"))
      fail<StateError>("it holds no model, but '", state.text("kind"), "'");
    for (const std::string& name : unknown_names(state, {}, {"kind", "model", "training"}))
      say(str("warning: '", name, "' was written by a newer weft and is passed over"));
    const StateDict& model = state.dict("model");
    for (const std::string& name : unknown_names(
             model, {},
             {"kind", "settings", "weights", "tokenizer", "end_ids", "class_names", "trained_on", "lora"}))
      say(str("warning: 'model/", name, "' was written by a newer weft and is passed over"));
    file = {.kind = model.text("kind"), .settings = model.dict("settings"), .weights = model.dict("weights")};
    if (model.contains("tokenizer")) file.tokenizer = Tokenizer::from_state(model.dict("tokenizer"));
    if (model.contains("end_ids")) {
      const auto ids = model.array("end_ids").values<int64_t>();
      file.end_ids.assign(ids.begin(), ids.end());
    }
    if (model.contains("class_names"))
      for (size_t i = 0; i < model.dict("class_names").size(); ++i)
        file.class_names.push_back(model.dict("class_names").text(std::to_string(i)));
    if (model.contains("trained_on")) file.trained_on = trained_on_of(model.dict("trained_on"), say);
    if (model.contains("lora")) file.lora = lora_of(model.dict("lora"), say);
  }
  check_settings(file, say);
  if (file.settings.contains("vocab_size"))
    for (const int64_t id : file.end_ids)
      if (id < 0 || id >= file.settings.integer("vocab_size"))
        fail<StateError>("end_ids: ", id, " is not in the vocabulary of ",
                         file.settings.integer("vocab_size"));
  if (!file.class_names.empty() && file.settings.contains("n_class") &&
      file.settings.integer("n_class") != std::ssize(file.class_names))
    fail<StateError>(file.class_names.size(), " names of classes for a model of ",
                     file.settings.integer("n_class"));
  check_weights(file);
  check_tokenizer(file);
  return file;
}

ModelFile ModelFile::read(const std::string& path, const Say& say) {
  const StateDict state = read_checkpoint(path);
  try {
    return from_state(state, say);
  } catch (const FileError&) {
    throw;
  } catch (const Error& error) {
    fail<FileError>(path, ": is a checkpoint, but not one that this weft can use: ", error.what());
  }
}

void ModelFile::write(const std::string& path, WriteOptions options) const {
  write_checkpoint(path, state(), {.bfloat16 = options.bfloat16});
}

}  // namespace weft
