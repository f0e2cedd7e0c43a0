// The settings of a run: one table of keys gives defaults, checks, the help text, --set, and config.toml.
#pragma once

#include <weft/lib/array/state_dict.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace weft {

/// Names and meanings are nanoGPT's where it has them; the defaults are its recipe for a processor.
struct Config {
  static constexpr int64_t unset = -1;

  std::string model = "gpt2";
  std::string task = "text";
  int64_t n_layer = 4;
  int64_t n_head = 4;
  int64_t n_kv_head = 0;
  int64_t n_embd = 128;
  int64_t n_inner = 0;
  int64_t block_size = 64;
  double dropout = 0.0;
  bool bias = false;
  std::string norm = "pre";
  int64_t patch_size = 4;
  double drop_path = 0.0;
  int64_t window = 0;

  int64_t batch_size = 12;
  int64_t gradient_accumulation_steps = 1;
  int64_t max_iters = 2000;
  std::string optimizer = "adamw";
  std::string schedule = "cosine";
  double learning_rate = 1e-3;
  double min_lr = 1e-4;
  int64_t warmup_iters = 100;
  int64_t lr_decay_iters = unset;  ///< resolve() makes it max_iters
  double weight_decay = 0.1;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double grad_clip = 1.0;
  int64_t decay_iters = 0;
  double layer_decay = 1.0;
  double ema_decay = 0.0;
  std::string freeze;
  double label_smoothing = 0.0;
  int64_t samples = 0;
  int64_t min_length = 0, max_length = 0;
  double mask_share = 0.15;

  int64_t eval_interval = 250;
  int64_t eval_iters = 20;
  int64_t log_interval = 10;
  int64_t checkpoint_interval = 250;
  int64_t keep_checkpoints = 3;
  int64_t patience = 0;
  int64_t sample_tokens = 100;
  int64_t end_id = unset;  ///< unset: the tokenizer's, if it has one
  bool recompute = false;

  int64_t seed = 1337;
  std::string tokenizer = "char";
  bool unknown_token = false;
  std::string newlines = "keep";

  std::vector<std::string> data;  ///< paths of the text; in config.toml, never in a checkpoint
  std::string init_from;          ///< file whose weights the run began from; likewise
};

struct IntegerKey {
  int64_t Config::*member;
  int64_t least, most;
};
/// A finite number in [least, below).
struct NumberKey {
  double Config::*member;
  double least, below;
};
struct BoolKey {
  bool Config::*member;
};
struct ChoiceKey {
  std::string Config::*member;
  std::vector<std::string> choices;
};

/// Any text.
struct TextKey {
  std::string Config::*member;
};

struct Key {
  std::string name;
  std::variant<IntegerKey, NumberKey, BoolKey, ChoiceKey, TextKey> kind;
  bool steers = false;  ///< may change on resume: says how far, how often and in how much memory, but not
                        ///< what is computed
  std::string meaning;
};
const std::vector<Key>& config_keys();
/// "max_iters, eval_interval, ..."
std::string steering_keys();
/// Every key with default and meaning, a line each.
std::string config_help();
/// The value as config.toml holds it.
std::string value_text(const Config& config, const Key& key);

/// Takes what a TOML file sets. Errors begin with "PATH:LINE: ".
void apply_file(Config& config, const std::string& path);
/// Takes one "key=value". With `resuming`, only keys that steer.
void apply_setting(Config& config, const std::string& setting, bool resuming = false);
/// What no single key shows: that the model takes the task, that n_head divides n_embd.
void check(const Config& config);
/// Fixes lr_decay_iters.
void resolve(Config& config);
/// config.toml: every key with its meaning, and the paths. ValueError for a path that is not UTF-8.
std::string to_toml(const Config& config);

/// The keys that do not steer: what a checkpoint holds.
StateDict fixed_state(const Config& config);
/// Takes them; StateError when one is missing or of another kind.
void apply_state(Config& config, const StateDict& state);
/// The first key that does not steer in which the two differ; nullptr when there is none.
const Key* first_difference(const Config& a, const Config& b);

}  // namespace weft
