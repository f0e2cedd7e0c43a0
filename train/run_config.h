// The settings of a run: its own, and those of the model, task, optimizer, schedule and tokenizer that it names, all as
// flat keys. From the tables of those parts follow defaults, checks, the help text, --set, config.toml and what a
// checkpoint holds.
#pragma once

#include <weft/lib/array/dtype.h>
#include <weft/lib/array/state_dict.h>
#include <weft/lib/settings/settings.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// Says a line to the user: a note, a warning.
using Say = std::function<void(std::string_view line)>;

/// Names and meanings are nanoGPT's where it has them; the defaults are its recipe for a processor.
struct RunConfig {
  static constexpr int64_t unset = -1;

  std::string model = "gpt2", task = "text", optimizer = "adamw", schedule = "cosine", tokenizer = "char";

  int64_t batch_size = 12;
  int64_t gradient_accumulation_steps = 1;
  int64_t reduction_shards = 1;
  bool shard_optimizer = false;
  int64_t max_iters = 2000;
  double learning_rate = 1e-3;
  double min_lr = 1e-4;
  int64_t warmup_iters = 100;
  int64_t lr_decay_iters = unset;  ///< made max_iters where it is not set
  int64_t decay_iters = 0;
  double weight_decay = 0.1;
  double grad_clip = 1.0;
  double layer_decay = 1.0;
  double ema_decay = 0.0;
  std::string freeze;
  int64_t lora_rank = 0;  ///< above 0: adapters are trained, on a model that stays as it is
  double lora_alpha = 16.0;
  double lora_dropout = 0.0;
  std::string lora_layers = "*.query,*.value";
  std::string lora_full;
  double label_smoothing = 0.0;
  std::string dtype = "float32";  ///< that activations are computed in, see computing_type()

  int64_t eval_interval = 250;
  int64_t eval_iters = 20;
  int64_t log_interval = 10;
  int64_t checkpoint_interval = 250;
  int64_t keep_checkpoints = 3;
  int64_t patience = 0;
  int64_t sample_tokens = 100;
  int64_t stats_interval = 0;
  bool tensorboard = false;
  int64_t end_id = unset;  ///< unset: the tokenizer's, if it has one
  bool recompute = false;

  int64_t seed = 1337;
  std::string newlines = "keep";

  SettingValues parts;                 ///< of the parts that are named above: all of their settings
  std::vector<std::string> data;       ///< paths of the files; in config.toml, never in a checkpoint
  std::vector<std::string> val_data;   ///< of those that validate, if not a part of `data`; likewise
  std::vector<std::string> test_data;  ///< of those that `weft eval --test` scores; likewise
  std::string init_from;               ///< file that the run began from; likewise
  std::string lora_base;  ///< file of the model that adapters are of, where that is not init_from; likewise
  std::string carries;    ///< what it took over: "weights", "optimizer" (and weights) or "all"; likewise

  /// The file of the model that adapters are of.
  const std::string& base() const { return lora_base.empty() ? init_from : lora_base; }
  /// What Autocast (autograd/autocast.h) is to be around model.loss(), in training and in the run's evaluations.
  DType computing_type() const { return dtype == "bfloat16" ? bfloat16 : float32; }
  int64_t samples_per_update() const { return batch_size * gradient_accumulation_steps; }
  /// The run's own settings, without `parts`.
  static const Settings<RunConfig>& settings();
};

/// One key that was given a value, and how messages about it begin: "config.toml:3: ".
struct Assignment {
  std::string where, key;
  SettingValue value;
  bool is_typed = true;    ///< false: `value` is text that was typed, to be read as the key wants it
  bool from_file = false;  ///< of a file, which may hold keys of parts that it does not name
};

/// What a TOML file sets. Errors begin with "PATH:LINE: ". Its relative paths begin where the program was started, or,
/// with paths_from = "here", at the folder of the file, which they are told with then.
struct ConfigFile {
  std::vector<Assignment> assignments;
  std::vector<std::string> data, val_data, test_data;
  std::string init_from, lora_base, carries;
  bool paths_from_here = false;
};
ConfigFile read_config(const std::string& path);
/// "key=value". ValueError for another form, and for data and init_from, which have options of their own, as val_data and
/// test_data have.
Assignment setting_typed(const std::string& typed);

/// The configuration that these assignments, in order, make of the defaults. ValueError for a key that nobody has, with
/// the nearest; for one that another part has, naming it; for a value that does not fit; and for parts that do not fit
/// each other.
/// A key that several models share (n_head) is passed over for one that has none, and `say` is told. With `on_files`, and
/// always of a task that makes no samples of its own, the defaults are those of the task (TaskEntry::defaults) where
/// the parts that were chosen have such.
RunConfig make_config(const std::vector<Assignment>& assignments, const Say& say = {}, bool on_files = false);
/// Those whose key some part has. Of the others, which a newer version wrote into config.toml, `say` is told: what must
/// be known of them is in the checkpoint.
std::vector<Assignment> known_assignments(const std::vector<Assignment>& assignments, const Say& say);
/// With keys changed of a run that is there: those that steer alone (ValueError for others).
RunConfig steered(const RunConfig& config, const std::vector<std::string>& typed);
/// The same with other values of keys: of a new run that goes on from this one.
std::vector<Assignment> assignments_of(const RunConfig& config);

/// All keys of a configuration: the run's own, then those of its parts.
std::vector<Setting> keys_of(const RunConfig& config);
SettingValue value_of(const RunConfig& config, const Setting& key);
/// "max_iters, eval_interval, ..."
std::string steering_keys();
/// Every key of every part with default and meaning, a line each.
std::string config_help();
/// "gpt2      text, recall": a line for each model and each task.
std::string parts_help();

/// config.toml: every key with its meaning, and the paths, those near `folder` from there (files/run_paths.h); an empty
/// one leaves them as they are. ValueError for a path that is not UTF-8.
std::string to_toml(const RunConfig& config, const std::string& folder = {});

/// The keys that do not steer: what a checkpoint holds.
StateDict fixed_state(const RunConfig& config);
/// A configuration out of a checkpoint of any version; keys that it lacks are as they were before there were such. Keys
/// that a newer version wrote are named to `say`; StateError where without them the results would be others.
RunConfig config_from_state(const StateDict& state, const Say& say);
/// "n_layer is 3, but the run was made with 2": the first key that does not steer in which they differ; else empty.
std::string first_difference(const RunConfig& now, const RunConfig& made_with);

}  // namespace weft
