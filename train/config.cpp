#include "config.h"

#include <weft/data/text/text.h>
#include <weft/data/text/utf8.h>
#include <weft/layers/models/registry.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/optim/make_optimizer.h>
#include <weft/optim/schedule.h>

#include <limits>

#include "model_config.h"
#include "task.h"
#include "toml_file.h"

namespace weft {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

constexpr int64_t huge = std::numeric_limits<int64_t>::max();
constexpr int64_t most_steps = 99'999'999;  // what the eight digits of a checkpoint's name hold
constexpr double any = std::numeric_limits<double>::infinity();

std::string decimal(double value) {
  std::string text = str(value);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

const Key* find_key(const std::string& name) {
  for (const Key& key : config_keys())
    if (key.name == name) return &key;
  return nullptr;
}

const Key& key_named(const std::string& where, const std::string& name) {
  if (const Key* key = find_key(name)) return *key;
  std::vector<std::string> names;
  for (const Key& key : config_keys()) names.push_back(key.name);
  const std::string near = nearest(name, names.data(), names.data() + names.size());
  fail<ValueError>(where, "there is no key '", name, "'",
                   near.empty() ? "; weft train --help lists them all" : str("; did you mean '", near, "'?"));
}

std::string wanted(const Key& key) {
  return std::visit(
      Overloaded{[](const IntegerKey& k) { return str("a whole number between ", k.least, " and ", k.most); },
                 [](const NumberKey& k) {
                   return k.below == any ? str("a number of at least ", k.least)
                                         : str("a number from ", k.least, " to below ", k.below);
                 },
                 [](const BoolKey&) { return std::string("true or false"); },
                 [](const ChoiceKey& k) { return joined(k.choices, " or "); },
                 [](const TextKey&) { return std::string("a text"); }},
      key.kind);
}

[[noreturn]] void refuse(const std::string& where, const Key& key, const std::string& found) {
  fail<ValueError>(where, key.name, " must be ", wanted(key), ", not ", found);
}

/// Gives a key its value; false when the value is of another kind or out of range.
bool assign(Config& config, const Key& key, const TomlValue& value) {
  return std::visit(Overloaded{[&](const IntegerKey& k) {
                                 const auto* number = std::get_if<int64_t>(&value);
                                 if (!number || *number < k.least || *number > k.most) return false;
                                 config.*k.member = *number;
                                 return true;
                               },
                               [&](const NumberKey& k) {
                                 const auto* whole = std::get_if<int64_t>(&value);
                                 const auto* number = std::get_if<double>(&value);
                                 if (!whole && !number) return false;
                                 const double given = whole ? static_cast<double>(*whole) : *number;
                                 if (!(given >= k.least && given < k.below)) return false;
                                 config.*k.member = given;
                                 return true;
                               },
                               [&](const BoolKey& k) {
                                 const auto* truth = std::get_if<bool>(&value);
                                 if (truth) config.*k.member = *truth;
                                 return truth != nullptr;
                               },
                               [&](const ChoiceKey& k) {
                                 const auto* word = std::get_if<std::string>(&value);
                                 if (!word) return false;
                                 for (const std::string& choice : k.choices)
                                   if (choice == *word) config.*k.member = *word;
                                 return config.*k.member == *word;
                               },
                               [&](const TextKey& k) {
                                 const auto* text = std::get_if<std::string>(&value);
                                 if (text) config.*k.member = *text;
                                 return text != nullptr;
                               }},
                    key.kind);
}

/// What was typed behind "key=", read as the kind of value the key wants.
TomlValue typed(const Key& key, const std::string& text) {
  try {
    if (std::holds_alternative<IntegerKey>(key.kind))
      return parse_integer(key.name, text, std::numeric_limits<int64_t>::min(), huge);
    if (std::holds_alternative<NumberKey>(key.kind)) return parse_number(key.name, text, -any);
  } catch (const ValueError&) {
    return text;
  }
  if (std::holds_alternative<BoolKey>(key.kind) && (text == "true" || text == "false")) return text == "true";
  return text;
}

}  // namespace

const std::vector<Key>& config_keys() {
  using C = Config;
  static const std::vector<Key> keys = {
      {"model", ChoiceKey{&C::model, model_kinds()}, false, "what is trained"},
      {"task", ChoiceKey{&C::task, names_of_tasks()}, false, "what it learns"},
      {"n_layer", IntegerKey{&C::n_layer, 1, 1024}, false,
       "blocks, or recurrent layers; of an encoder-decoder, in each of the two"},
      {"n_head", IntegerKey{&C::n_head, 1, 1024}, false, "attention heads; divides n_embd"},
      {"n_kv_head", IntegerKey{&C::n_kv_head, 0, 1024}, false,
       "llama: heads of keys and values; divides n_head; 0 is n_head"},
      {"n_embd", IntegerKey{&C::n_embd, 1, 1 << 17}, false, "width of the model"},
      {"n_inner", IntegerKey{&C::n_inner, 0, 1 << 20}, false,
       "width inside the feed-forward; 0 is what the model is published with"},
      {"block_size", IntegerKey{&C::block_size, 1, 1 << 20}, false, "longest context, in tokens"},
      {"dropout", NumberKey{&C::dropout, 0, 1}, false,
       "probability of dropping a value in training; 0 is off"},
      {"bias", BoolKey{&C::bias}, false, "gpt2: biases in linear layers and norms"},
      {"norm", ChoiceKey{&C::norm, {"pre", "post"}}, false,
       "transformer: norms before each sublayer, or after it as published in 2017"},
      {"patch_size", IntegerKey{&C::patch_size, 1, 1024}, false, "vit: sides of a patch, in pixels"},
      {"drop_path", NumberKey{&C::drop_path, 0, 1}, false,
       "vit: stochastic depth, the probability that the last block is left out of a sample"},
      {"window", IntegerKey{&C::window, 0, 1 << 20}, false,
       "llama: a token attends to so many last ones; 0: to all before it"},
      {"batch_size", IntegerKey{&C::batch_size, 1, 1 << 20}, false, "windows in a micro-batch"},
      {"gradient_accumulation_steps", IntegerKey{&C::gradient_accumulation_steps, 1, 1 << 20}, false,
       "micro-batches in an update"},
      {"max_iters", IntegerKey{&C::max_iters, 0, most_steps}, true, "updates in all"},
      {"optimizer", ChoiceKey{&C::optimizer, optimizer_names()}, false, "how weights follow their gradients"},
      {"schedule", ChoiceKey{&C::schedule, schedule::names()}, false,
       "of the learning rate, from learning_rate to min_lr"},
      {"learning_rate", NumberKey{&C::learning_rate, 0, any}, false, "highest learning rate"},
      {"min_lr", NumberKey{&C::min_lr, 0, any}, false, "learning rate at the end of the schedule and after"},
      {"warmup_iters", IntegerKey{&C::warmup_iters, 0, most_steps}, false,
       "updates of warm-up: update k runs at learning_rate (k + 1) / (warmup_iters + 1)"},
      {"lr_decay_iters", IntegerKey{&C::lr_decay_iters, 0, most_steps}, false,
       "update at which the schedule ends; max_iters unless set, fixed when the run is created"},
      {"weight_decay", NumberKey{&C::weight_decay, 0, any}, false,
       "the optimizer's, on parameters of two or more axes only"},
      {"beta1", NumberKey{&C::beta1, 0, 1}, false, "decay of the mean gradient, where the optimizer has one"},
      {"beta2", NumberKey{&C::beta2, 0, 1}, false, "decay of the mean squared gradient, likewise"},
      {"grad_clip", NumberKey{&C::grad_clip, 0, any}, false, "largest global norm of the gradient; 0 is off"},
      {"decay_iters", IntegerKey{&C::decay_iters, 0, most_steps}, false,
       "warmup_stable_decay: updates that the decay takes"},
      {"layer_decay", NumberKey{&C::layer_decay, 0, any}, false,
       "each block's learning rate is that of the one above times this; at most 1"},
      {"ema_decay", NumberKey{&C::ema_decay, 0, 1}, false,
       "above 0, the weights' exponential average with this decay is evaluated and used"},
      {"freeze", TextKey{&C::freeze}, false,
       "parameters that stay as they are: names or patterns with * and ?, separated by commas"},
      {"label_smoothing", NumberKey{&C::label_smoothing, 0, 1}, false,
       "share of each target that is spread over all classes, in training"},
      {"samples", IntegerKey{&C::samples, 0, most_steps}, false,
       "samples that a generated task has for training; 0 is no end of them"},
      {"min_length", IntegerKey{&C::min_length, 0, 1 << 20}, false,
       "copy, reverse, sort: letters; recall: tokens back; 0 is as the task has it"},
      {"max_length", IntegerKey{&C::max_length, 0, 1 << 20}, false, "likewise"},
      {"mask_share", NumberKey{&C::mask_share, 0, 1}, false,
       "masked words: share of them that is to be found"},
      {"eval_interval", IntegerKey{&C::eval_interval, 1, most_steps}, true, "updates between evaluations"},
      {"eval_iters", IntegerKey{&C::eval_iters, 0, most_steps}, true,
       "batches an evaluation reads of each split, always the same; 0 is all of it"},
      {"log_interval", IntegerKey{&C::log_interval, 1, most_steps}, true, "updates between lines of the log"},
      {"checkpoint_interval", IntegerKey{&C::checkpoint_interval, 1, most_steps}, true,
       "updates between checkpoints"},
      {"keep_checkpoints", IntegerKey{&C::keep_checkpoints, 0, most_steps}, true,
       "newest checkpoints to keep; 0 keeps all"},
      {"patience", IntegerKey{&C::patience, 0, most_steps}, true,
       "evaluations without a better validation loss before the run stops; 0 is never"},
      {"sample_tokens", IntegerKey{&C::sample_tokens, 0, 1'000'000}, false,
       "tokens of the sample printed at each evaluation; 0 is none"},
      {"end_id", IntegerKey{&C::end_id, -1, 1 << 24}, false,
       "id that ends what a model writes; -1 is the tokenizer's own, if it has one"},
      {"recompute", BoolKey{&C::recompute}, true,
       "less memory for more time, the same bits: backward computes each block's activations anew"},
      {"seed", IntegerKey{&C::seed, 0, huge}, false, "of first weights, order of the data and dropout"},
      {"tokenizer", ChoiceKey{&C::tokenizer, {"char", "byte"}}, false,
       "char: one token a character of UTF-8; byte: any bytes"},
      {"unknown_token", BoolKey{&C::unknown_token}, false,
       "char: one more token, for characters that the text does not have"},
      {"newlines", ChoiceKey{&C::newlines, {"keep", "lf"}}, false, "lf drops carriage returns"},
  };
  return keys;
}

std::string steering_keys() {
  std::vector<std::string> names;
  for (const Key& key : config_keys())
    if (key.steers) names.push_back(key.name);
  return joined(names, ", ");
}

std::string value_text(const Config& config, const Key& key) {
  if (key.name == "lr_decay_iters" && config.lr_decay_iters == Config::unset) return "max_iters";
  return std::visit(Overloaded{[&](const IntegerKey& k) { return str(config.*k.member); },
                               [&](const NumberKey& k) { return decimal(config.*k.member); },
                               [&](const BoolKey& k) { return str(config.*k.member); },
                               [&](const ChoiceKey& k) { return toml_string(config.*k.member); },
                               [&](const TextKey& k) { return toml_string(config.*k.member); }},
                    key.kind);
}

std::string config_help() {
  std::string text = "Keys, for --set key=value and configuration files, each with its default:\n";
  for (const Key& key : config_keys()) {
    std::string line = str("  ", key.name, " = ", value_text(Config(), key));
    line.resize(std::max<size_t>(line.size() + 2, 38), ' ');
    text += str(line, key.meaning, "\n");
  }
  return text + str("On resume only these may change: ", steering_keys(), ".\n");
}

void apply_file(Config& config, const std::string& path) {
  for (const TomlEntry& entry : read_toml(path)) {
    const std::string where = str(path, ":", entry.line, ": ");
    if (entry.key == "data") {
      if (!entry.is_list) fail<ValueError>(where, "data must be a list of paths, [\"text.txt\"]");
      config.data = entry.list;
    } else if (entry.key == "init_from") {
      const auto* file = std::get_if<std::string>(&entry.value);
      if (entry.is_list || !file) fail<ValueError>(where, "init_from must be a path");
      config.init_from = *file;
    } else {
      const Key& key = key_named(where, entry.key);
      if (entry.is_list || !assign(config, key, entry.value)) refuse(where, key, entry.text);
    }
  }
}

void apply_setting(Config& config, const std::string& setting, bool resuming) {
  const std::string where = "--set " + setting + ": ";
  const size_t equals = setting.find('=');
  if (equals == std::string::npos || equals == 0)
    fail<ValueError>(where, "needs the form key=value, say max_iters=1000");
  const std::string name = setting.substr(0, equals), text = setting.substr(equals + 1);
  if (name == "data" || name == "init_from")
    fail<ValueError>(where, "is given by --", name == "data" ? "data" : "init-from");
  const Key& key = key_named(where, name);
  if (resuming && !key.steers)
    fail<ValueError>(where, name,
                     " is fixed when a run is created, as what it computes depends on it; on resume only ",
                     steering_keys(), " may change. A new run can begin from these weights: --init-from");
  if (!assign(config, key, typed(key, text))) refuse(where, key, "'" + text + "'");
}

void check(const Config& config) { check_model(config); }

void resolve(Config& config) {
  if (config.lr_decay_iters == Config::unset) config.lr_decay_iters = config.max_iters;
}

std::string to_toml(const Config& config) {
  std::string text =
      "# A run of weft. weft train --config THIS_FILE starts it again from the beginning.\ndata = [";
  for (size_t i = 0; i < config.data.size(); ++i)
    text += str(i == 0 ? "" : ", ", toml_string(config.data[i]));
  text += "]\n";
  if (!config.init_from.empty()) text += str("init_from = ", toml_string(config.init_from), "\n");
  for (const Key& key : config_keys()) {
    std::string line = str(key.name, " = ", value_text(config, key));
    line.resize(std::max<size_t>(line.size() + 2, 38), ' ');
    text += str(line, "# ", key.meaning, "\n");
  }
  return text;
}

StateDict fixed_state(const Config& config) {
  StateDict state;
  for (const Key& key : config_keys()) {
    if (key.steers) continue;
    std::visit(Overloaded{[&](const BoolKey& k) { state.set(key.name, int64_t{config.*k.member}); },
                          [&](const auto& k) { state.set(key.name, config.*k.member); }},
               key.kind);
  }
  return state;
}

void apply_state(Config& config, const StateDict& state) {
  for (const Key& key : config_keys()) {
    if (key.steers) continue;
    const TomlValue value =
        std::visit(Overloaded{[&](const IntegerKey&) { return TomlValue(state.integer(key.name)); },
                              [&](const NumberKey&) { return TomlValue(state.number(key.name)); },
                              [&](const BoolKey&) { return TomlValue(state.integer(key.name) != 0); },
                              [&](const ChoiceKey&) { return TomlValue(state.text(key.name)); },
                              [&](const TextKey&) { return TomlValue(state.text(key.name)); }},
                   key.kind);
    if (!assign(config, key, value)) fail<StateError>("config: ", key.name, " must be ", wanted(key));
  }
}

const Key* first_difference(const Config& a, const Config& b) {
  for (const Key& key : config_keys())
    if (!key.steers && value_text(a, key) != value_text(b, key)) return &key;
  return nullptr;
}

}  // namespace weft
