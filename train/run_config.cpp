#include <weft/data/tasks/registry.h>
#include <weft/data/text/tokenizer_registry.h>
#include <weft/layers/models/registry.h>
#include <weft/lib/base/advice.h>
#include <weft/lib/base/join.h>
#include <weft/lib/base/values.h>
#include <weft/lib/processes/shards.h>
#include <weft/optim/make_optimizer.h>
#include <weft/optim/schedule.h>
#include <weft/train/key_names.h>
#include <weft/train/show/console.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "run_config_internal.h"

namespace weft {
namespace {

constexpr int64_t huge = std::numeric_limits<int64_t>::max();
constexpr int64_t most_steps = 99'999'999;  // what the eight digits of a checkpoint's name hold
/// A key that so many models have is not refused for one that has none.
constexpr size_t shared_by = 4;
constexpr double any = std::numeric_limits<double>::infinity();

/// What an optimizer calls lr and weight_decay are keys of the run.
bool is_run_key(const std::string& name) {
  return RunConfig::settings().find(name) != nullptr || name == "lr";
}

template <class Entry>
void add_parts(std::vector<Part>& to, const char* registry, const Registry<Entry>& all) {
  for (const Entry* const entry : all.entries()) {
    Part part{registry, entry->name, {}};
    for (const Setting& s : entry->settings) {
      const bool runs_own =
          std::string_view(registry) == "optimizer" && (s.name == "lr" || s.name == "weight_decay");
      if (s.from_data || runs_own) continue;
      if (is_run_key(s.name))
        fail<ValueError>("the ", registry, " '", entry->name, "' has a setting '", s.name,
                         "', which is a key of every run; give it another name");
      part.settings.push_back(s);
    }
    to.push_back(std::move(part));
  }
}

}  // namespace

std::vector<Part> all_parts() {
  std::vector<Part> all;
  add_parts(all, "model", models());
  add_parts(all, "task", tasks());
  add_parts(all, "optimizer", optimizers());
  add_parts(all, "schedule", schedules());
  add_parts(all, "tokenizer", tokenizers());
  return all;
}

std::vector<Setting> run_keys() {
  std::vector<Setting> all = RunConfig::settings().list();
  for (Setting& s : all) {
    if (s.name == "model") s.choices = models().names();
    if (s.name == "task") s.choices = tasks().names();
    if (s.name == "optimizer") s.choices = optimizers().names();
    if (s.name == "schedule") s.choices = schedules().names();
    if (s.name == "tokenizer") s.choices = learnable_tokenizers();
  }
  return all;
}

namespace {

const std::string& named_by(const RunConfig& config, const std::string& registry) {
  return registry == "model"       ? config.model
         : registry == "task"      ? config.task
         : registry == "optimizer" ? config.optimizer
         : registry == "schedule"  ? config.schedule
                                   : config.tokenizer;
}

/// Those of the parts that a configuration names; a key that several have is there once.
std::vector<Setting> part_keys(const RunConfig& config) {
  std::vector<Setting> all;
  for (const Part& part : all_parts()) {
    if (named_by(config, part.registry) != part.name) continue;
    for (const Setting& s : part.settings)
      if (std::ranges::count(all, s.name, &Setting::name) == 0) all.push_back(s);
  }
  return all;
}

/// None where the key cannot have such a value.
std::optional<SettingValue> value_for(const Assignment& given, const Setting& key) {
  const auto* const text = std::get_if<std::string>(&given.value);
  return given.is_typed || !text ? fitting(key, given.value) : parsed(key, *text);
}

SettingValue read_value(const Assignment& given, const Setting& key) {
  const auto* const text = std::get_if<std::string>(&given.value);
  const std::optional<SettingValue> value = value_for(given, key);
  if (value) return *value;
  const std::string typed = text ? *text : text_of(given.value), meant = meant_value(key, typed);
  // As it was typed: "key=value" of --set, or the value of an option by itself.
  Advice advice{.typed = {str(key.name, "=", typed)}, .meant = {str(key.name, "=", meant)}};
  if (key.name == "model" || key.name == "task") advice = {.typed = {typed}, .meant = {meant}};
  const bool is_near = !near_choice(key, typed).empty();
  fail_with<ValueError>(std::move(advice), given.where, key.name, " must be ", wanted(key), ", not ",
                        text ? "'" + typed + "'" : typed,
                        is_near ? str("; did you mean '", meant, "'?") : "");
}

const Setting* find_key(const std::vector<Setting>& keys, const std::string& name) {
  const auto found = std::ranges::find(keys, name, &Setting::name);
  return found == keys.end() ? nullptr : &*found;
}

/// A key that the configuration's parts do not have: passed over where a file holds it with the value that it has by
/// default anyway, as complete files of former versions do; refused where another part has it, or nobody.
void check_foreign(const RunConfig& config, const Assignment& given, const Say& say) {
  std::vector<std::string> fit;
  const Part* first = nullptr;
  const Setting* refused = nullptr;
  bool taken = false;
  const std::vector<Part> parts = all_parts();
  for (const Part& part : parts) {
    const Setting* const key = find_key(part.settings, given.key);
    if (!key) continue;
    const std::optional<SettingValue> value = value_for(given, *key);
    if (value == key->value) return;
    taken = taken || value;
    if (!value && !refused) refused = key;
    if (!first) first = &part;
    fit.push_back(part.name);
  }
  if (refused && !taken) read_value(given, *refused);  // names the value that no part takes
  if (first) {
    const bool of_training = first->registry != "model";
    if (given.from_file && of_training) return;
    // What most models have, as n_head and block_size, is said in scripts that are about all of them.
    if (first->registry == "model" && fit.size() >= shared_by) {
      if (say)
        say(str("note: ", given.key, " is passed over: ", named_by(config, first->registry),
                " has no such key"));
      return;
    }
    fail_with<ValueError>({.settings = {str(first->registry, "=", fit[0])}}, given.where, given.key, " = ",
                          text_of(given.value), ": ", named_by(config, first->registry), " has no such key; ",
                          joined(fit), fit.size() == 1 ? " has" : " have");
  }
  for (const char* epochs : {"epochs", "num_epochs", "max_epochs", "num_train_epochs"})
    if (given.key == epochs)
      fail_with<ValueError>({.typed = {str(given.key, "=", text_of(given.value))},
                             .meant = {str("max_iters=", RunConfig().max_iters)}},
                            given.where, "there is no key '", given.key,
                            "'; how long a run is, max_iters says, in updates");
  const std::string meant = meant_key(given.key);
  Advice advice{.typed = {given.key}, .meant = {meant}};
  if (meant.empty()) advice = {.lines = {str(program_name(), " train --help")}};
  fail_with<ValueError>(std::move(advice), given.where, "there is no key '", given.key, "'",
                        meant.empty() ? "" : str("; did you mean '", meant, "'?"));
}

/// "n_embd=126": the width that is nearest to the one that the heads do not divide; empty where they do.
std::string divided_width(const SettingValues& parts) {
  if (!parts.contains("n_embd") || !parts.contains("n_head")) return "";
  const int64_t width = parts.integer("n_embd"), heads = parts.integer("n_head");
  if (width % heads == 0) return "";
  // Heads of an even width, as rotary positions want them.
  const int64_t unit = 2 * heads, over = width % unit;
  return str("n_embd=", over <= heads && width > over ? width - over : width - over + unit);
}

/// The task that a model is made for first of all, on files where it can be.
Advice first_task_of(const ModelEntry& model) {
  const TaskEntry* first = nullptr;
  for (const TaskEntry* const task : tasks().entries()) {
    if (model.learns.empty() || task->kind != model.learns.front()) continue;
    if (first == nullptr || (!first->reads_files({"a"}) && task->reads_files({"a"}))) first = task;
  }
  return first == nullptr ? Advice() : Advice{.settings = {"task=" + first->name}};
}

/// What no single key shows.
void check_parts(const RunConfig& config) {
  check_shards(config.reduction_shards);
  const bool by_tokens = config.parts.contains("batch_tokens") && config.parts.integer("batch_tokens") > 0;
  if (!by_tokens && config.reduction_shards > config.samples_per_update())
    fail<ValueError>("reduction_shards = ", config.reduction_shards, ": an update has only ",
                     config.samples_per_update(), " samples (batch_size ", config.batch_size,
                     ", gradient_accumulation_steps ", config.gradient_accumulation_steps, ")");
  const ModelEntry& model = models().at(config.model);
  const TaskEntry& task = tasks().at(config.task);
  if (!model.takes(task.kind)) {
    std::vector<std::string> fit;
    for (const ModelEntry* const other : models().entries())
      if (other->takes(task.kind)) fit.push_back(other->name);
    fail_with<ValueError>(first_task_of(model), "task = ", config.task, ": is of the kind '",
                          name_of(task.kind), "', which ", config.model, " does not learn; ",
                          fit.empty() ? "no model does yet" : str(joined(fit), " can"));
  }
  // Any data at all: what they say is checked when they are there.
  const int64_t classes = task.kind == TaskKind::masked || task.kind == TaskKind::language ? 0 : 2;
  const int64_t patch = config.parts.contains("patch_size") ? config.parts.integer("patch_size") : 1;
  const auto check_model = [&] {
    model.settings_for(config.parts, {.kind = task.kind,
                                      .vocab_size = 8,
                                      .classes = classes,
                                      .pad_id = 0,
                                      .start_id = 1,
                                      .end_id = 2,
                                      .sizes = {.longest_input = 1,
                                                .longest_target = 1,
                                                .channels = 1,
                                                .height = patch,
                                                .width = patch,
                                                .patch = patch,
                                                .n_mels = 1}});
  };
  try {
    check_model();
  } catch (const ValueError& error) {
    if (const std::string width = divided_width(config.parts); !width.empty())
      fail_with<ValueError>({.settings = {width}}, error.what());
    throw;
  }
}

}  // namespace

const Settings<RunConfig>& RunConfig::settings() {
  using C = RunConfig;
  static const Settings<C> all = {
      Field(&C::model, "model", {}, "what is trained"),
      Field(&C::task, "task", {}, "what it learns"),
      Field(&C::batch_size, "batch_size", 1, 1 << 20, "samples in a micro-batch"),
      Field(&C::gradient_accumulation_steps, "gradient_accumulation_steps", 1, 1 << 20,
            "micro-batches in an update"),
      Field(&C::reduction_shards, "reduction_shards", 1, 1 << 20,
            "parts of an update, a power of two, whose gradients are added by a fixed tree; as many "
            "processes of mpirun, "
            "or fewer, compute them to the same bits"),
      Field(&C::shard_optimizer, "shard_optimizer",
            "of several processes, each keeps and updates its share of the optimizer's state; the same bits")
          .steers(),
      Field(&C::max_iters, "max_iters", 0, most_steps, "updates in all").steers(),
      Field(&C::optimizer, "optimizer", {}, "how weights follow their gradients"),
      Field(&C::schedule, "schedule", {}, "of the learning rate, from learning_rate to min_lr"),
      Field(&C::learning_rate, "learning_rate", 0.0, any, "highest learning rate"),
      Field(&C::min_lr, "min_lr", 0.0, any, "learning rate at the end of the schedule and after"),
      Field(&C::warmup_iters, "warmup_iters", 0, most_steps,
            "updates of warm-up: update k runs at learning_rate (k + 1) / (warmup_iters + 1)"),
      Field(&C::lr_decay_iters, "lr_decay_iters", 0, most_steps,
            "update at which the schedule ends; max_iters unless set, fixed when the run is created"),
      Field(&C::decay_iters, "decay_iters", 0, most_steps,
            "warmup_stable_decay: updates that the decay takes"),
      Field(&C::weight_decay, "weight_decay", 0.0, any,
            "the optimizer's, on parameters of two or more axes only"),
      Field(&C::grad_clip, "grad_clip", 0.0, any, "largest global norm of the gradient; 0 is off"),
      Field(&C::layer_decay, "layer_decay", 0.0, any,
            "each block's learning rate is that of the one above times this; at most 1"),
      Field(&C::ema_decay, "ema_decay", 0.0, 1.0,
            "above 0, the weights' exponential average with this decay is evaluated and used"),
      Field(&C::freeze, "freeze", {},
            "parameters that stay as they are: names or patterns with * and ?, separated by commas"),
      Field(&C::lora_rank, "lora_rank", 0, 1 << 16,
            "above 0, with --init-from: only adapters of this rank are trained and saved (LoRA), beside the "
            "layers "
            "of that model, which stays as it is"),
      Field(&C::lora_alpha, "lora_alpha", -any, any,
            "what an adapter adds to its layer is multiplied by lora_alpha / lora_rank"),
      Field(&C::lora_dropout, "lora_dropout", 0.0, 1.0,
            "probability of dropping a value that an adapter reads, in training"),
      Field(&C::lora_layers, "lora_layers", {},
            "layers that have adapters: names or patterns with * and ?, separated by commas"),
      Field(&C::lora_full, "lora_full", {},
            "parameters that are trained and saved in full beside the adapters, likewise; what the model has "
            "new is anyway"),
      Field(&C::label_smoothing, "label_smoothing", 0.0, 1.0,
            "share of each target that is spread over all classes, in training"),
      Field(
          &C::dtype, "dtype", {"float32", "bfloat16"},
          "what training and its evaluations compute with; bfloat16 halves the memory of activations, while "
          "weights, their gradients and the optimizer stay float32"),
      Field(&C::eval_interval, "eval_interval", 1, most_steps, "updates between evaluations").steers(),
      Field(&C::eval_iters, "eval_iters", 0, most_steps,
            "batches an evaluation reads of each split, always the same; 0 is all of it")
          .steers(),
      Field(&C::log_interval, "log_interval", 1, most_steps, "updates between lines of the log").steers(),
      Field(&C::checkpoint_interval, "checkpoint_interval", 1, most_steps, "updates between checkpoints")
          .steers(),
      Field(&C::keep_checkpoints, "keep_checkpoints", 0, most_steps,
            "newest checkpoints to keep; 0 keeps all")
          .steers(),
      Field(&C::patience, "patience", 0, most_steps,
            "evaluations without a better validation loss before the run stops; 0 is never")
          .steers(),
      Field(&C::sample_tokens, "sample_tokens", 0, 1'000'000,
            "tokens of the sample printed at each evaluation; 0 is none"),
      Field(&C::stats_interval, "stats_interval", 0, most_steps,
            "updates between statistics of weights, gradients and activations; 0 is none")
          .steers(),
      Field(&C::tensorboard, "tensorboard", "writes the run for TensorBoard too").steers(),
      Field(&C::end_id, "end_id", -1, 1 << 24,
            "id that ends what a model writes; -1 is the tokenizer's own, if it has one"),
      Field(&C::recompute, "recompute",
            "less memory for more time, the same bits: backward computes each block's activations anew")
          .steers(),
      Field(&C::seed, "seed", 0, huge, "of first weights, order of the data and dropout"),
      Field(&C::tokenizer, "tokenizer", {}, "char: one token a character of UTF-8; byte: any bytes"),
      Field(&C::newlines, "newlines", {"keep", "lf"}, "lf drops carriage returns"),
  };
  return all;
}

namespace {

/// The value that a key has in the end, as text; empty where it is not given.
std::string last_given(const std::vector<Assignment>& assignments, const std::vector<Setting>& own,
                       const std::string& key) {
  std::string value;
  for (const Assignment& given : assignments)
    if (given.key == key) value = std::get<std::string>(read_value(given, *find_key(own, key)));
  return value;
}

/// The same, with the task that is meant by one that is asked for with a model of another kind (task_asked).
std::vector<Assignment> with_task_of_model(std::vector<Assignment> all, const std::vector<Setting>& own) {
  const std::string task = last_given(all, own, "task"), model = last_given(all, own, "model");
  if (task.empty() || model.empty()) return all;
  const std::string& meant = task_asked(task, models().at(model).learns).name;
  for (Assignment& one : all)
    if (one.key == "task" && meant != task) one.value = meant;
  return all;
}

/// What the task that is named sets, on files, and the model.
SettingValues defaults_of_parts(const std::vector<Assignment>& assignments, const std::vector<Setting>& own,
                                bool on_files) {
  SettingValues all;
  if (const std::string name = last_given(assignments, own, "task"); !name.empty()) {
    const TaskEntry& task = tasks().at(name);
    if (on_files || !task.generate) all = task.defaults;
  }
  std::string model = last_given(assignments, own, "model");
  if (model.empty() && all.contains("model")) model = all.text("model");
  if (!model.empty())
    for (const auto& [key, value] : models().at(model).defaults.entries()) all.set(key, value);
  return all;
}

/// What a key is where nothing is said of it.
std::optional<SettingValue> default_of(const std::string& key) {
  if (const auto* const field = RunConfig::settings().find(key)) return field->setting.value;
  for (const Part& part : all_parts())
    if (const Setting* const found = find_key(part.settings, key)) return found->value;
  return {};
}

}  // namespace

Assignment setting_typed(const std::string& typed) {
  const std::string where = "--set " + typed + ": ";
  const size_t equals = typed.find('=');
  if (equals == std::string::npos || equals == 0) {
    const std::string text = "needs the form key=value, say max_iters=1000";
    if (const std::string key = meant_key(typed); is_name_of(key, typed))
      if (const std::optional<SettingValue> value = default_of(key); value)
        fail_with<ValueError>({.typed = {typed}, .meant = {str(key, "=", text_of(*value))}}, where, text);
    fail_with<ValueError>({.lines = {str(program_name(), " train --help")}}, where, text);
  }
  const std::string name = typed.substr(0, equals);
  if (name == "lora_base") fail<ValueError>(where, "is given by --base");
  if (name == "data" || name == "val_data" || name == "test_data" || name == "init_from" || name == "carries")
    fail<ValueError>(where, "is given by --",
                     name == "data"        ? "data"
                     : name == "val_data"  ? "val-data"
                     : name == "test_data" ? "test-data"
                                           : "init-from");
  if (name == "paths_from") fail<ValueError>(where, "is for files; what is typed begins where it is typed");
  return {where, name, typed.substr(equals + 1), false, false};
}

RunConfig make_config(const std::vector<Assignment>& given, const Say& say, bool on_files) {
  RunConfig config;
  const std::vector<Setting> own = run_keys();
  const std::vector<Assignment> assignments = with_task_of_model(given, own);
  const SettingValues defaults = defaults_of_parts(assignments, own, on_files);
  // Those that the parts which were chosen do not have, or not with such a value, say nothing.
  const auto proposed = [&](const Setting& key) {
    return defaults.contains(key.name) ? fitting(key, defaults.at(key.name)) : std::nullopt;
  };
  for (const Setting& key : own)
    if (const auto value = proposed(key)) RunConfig::settings().find(key.name)->put(config, *value);
  for (const Assignment& one : assignments)
    if (const Setting* const key = find_key(own, one.key))
      RunConfig::settings().find(one.key)->put(config, read_value(one, *key));
  const std::vector<Setting> keys = part_keys(config);
  for (const Setting& key : keys) config.parts.set(key.name, proposed(key).value_or(key.value));
  for (const Assignment& one : assignments) {
    if (find_key(own, one.key)) continue;
    if (const Setting* const key = find_key(keys, one.key))
      config.parts.set(key->name, read_value(one, *key));
    else
      check_foreign(config, one, say);
  }
  check_parts(config);
  if (config.lr_decay_iters == RunConfig::unset) config.lr_decay_iters = config.max_iters;
  return config;
}

std::vector<Assignment> known_assignments(const std::vector<Assignment>& assignments, const Say& say) {
  const std::vector<Setting> own = run_keys();
  const std::vector<Part> parts = all_parts();
  std::vector<Assignment> known;
  for (const Assignment& given : assignments) {
    const bool has = find_key(own, given.key) || std::ranges::any_of(parts, [&](const Part& part) {
                       return find_key(part.settings, given.key) != nullptr;
                     });
    if (has)
      known.push_back(given);
    else
      say(str("warning: ", given.where, "the key '", given.key, "' is of another weft and is passed over"));
  }
  return known;
}

RunConfig steered(const RunConfig& config, const std::vector<std::string>& typed) {
  std::vector<Assignment> all = assignments_of(config);
  const std::vector<Setting> keys = keys_of(config);
  for (const std::string& one : typed) {
    const Assignment given = setting_typed(one);
    const Setting* const key = find_key(keys, given.key);
    if (key && !key->steers)
      fail_with<ValueError>(
          {.typed = {"--resume"}, .meant = {"--continue"}}, given.where, key->name,
          " is fixed when a run is created, as what it computes depends on it; on resume only ",
          steering_keys(), " may change. A new run can go on from here: --continue");
    all.push_back(given);
  }
  RunConfig changed = make_config(all);
  changed.data = config.data;
  changed.val_data = config.val_data;
  changed.test_data = config.test_data;
  changed.init_from = config.init_from;
  changed.lora_base = config.lora_base;
  changed.carries = config.carries;
  return changed;
}

std::vector<Assignment> assignments_of(const RunConfig& config) {
  std::vector<Assignment> all;
  for (const Setting& key : keys_of(config)) all.push_back({"", key.name, value_of(config, key)});
  return all;
}

std::vector<Setting> keys_of(const RunConfig& config) {
  std::vector<Setting> all = run_keys();
  const std::vector<Setting> parts = part_keys(config);
  all.insert(all.end(), parts.begin(), parts.end());
  return all;
}

SettingValue value_of(const RunConfig& config, const Setting& key) {
  if (const auto* const field = RunConfig::settings().find(key.name)) return field->get(config);
  return config.parts.at(key.name);
}

std::string steering_keys() {
  std::vector<std::string> names;
  for (const Setting& s : RunConfig::settings().list())
    if (s.steers) names.push_back(s.name);
  return joined(names);
}

StateDict fixed_state(const RunConfig& config) {
  StateDict state;
  SettingValues values;
  std::vector<Setting> fixed;
  for (const Setting& key : keys_of(config)) {
    if (key.steers) continue;
    values.set(key.name, value_of(config, key));
    put(state, key.name, values.at(key.name));
    fixed.push_back(key);
  }
  put_must_know(state, fixed, values);
  return state;
}

RunConfig config_from_state(const StateDict& state, const Say& say) {
  RunConfig config;
  for (const Field<RunConfig>& field : RunConfig::settings().fields())
    if (!field.setting.steers) field.put(config, taken(state, field.setting));
  const std::vector<Setting> keys = keys_of(config);
  std::vector<Setting> known;
  for (const Part& part : all_parts()) known.insert(known.end(), part.settings.begin(), part.settings.end());
  known.insert(known.end(), keys.begin(), keys.end());
  for (const std::string& name : unknown_names(state, known))
    say(str("warning: the setting '", name, "' was written by a newer weft and is passed over"));
  for (const Setting& key : part_keys(config)) config.parts.set(key.name, taken(state, key));
  return config;
}

std::string first_difference(const RunConfig& now, const RunConfig& made_with) {
  const std::vector<Setting> theirs = keys_of(made_with);
  for (const Setting& key : keys_of(now)) {
    if (key.steers || !find_key(theirs, key.name)) continue;
    const SettingValue a = value_of(now, key), b = value_of(made_with, key);
    if (a != b) return str(key.name, " is ", shown(key, a), ", but the run was made with ", shown(key, b));
  }
  return "";
}

}  // namespace weft
