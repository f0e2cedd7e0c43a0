// A model as a file holds it: complete alone, so that who has the file can generate, evaluate, look at attention and
// export. A run's checkpoints have it too, beside what training needs (run_checkpoint.h).
//
//   kind = "weft model"          what the file is
//   model/kind                   the name that the model's class is registered under
//   model/settings/              what make_model (layers/models/registry.h) builds again
//   model/weights/               by path: the averages where a run keeps them, else those of the last update
//   model/lora/base              of a run that trains adapters: the digest of the weights of the model that they are of
//   model/lora/alpha/            by layer; its adapters are model/weights/LAYER.lora_A and LAYER.lora_B
//   model/tokenizer/             the vocabulary, if there is one
//   model/end_ids                the ids that end what the model writes
//   model/class_names/           of a model that classifies: their names, by number
//   model/trained_on/            task, seed, newlines, and the task's settings: how it was evaluated
//
// Names that a newer version wrote are passed over with a warning, unless `must_know` lists them: then the file is
// refused. With model/lora, weights are the adapters and what else is not that model's alone: adapters.h joins both. Files of the first format ("weft training", with the run's configuration beside the weights) open likewise.
#pragma once

#include <weft/data/tasks/registry.h>
#include <weft/data/text/tokenizer.h>
#include <weft/layers/lora.h>
#include <weft/layers/models/registry.h>
#include <weft/train/run_config.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weft {

/// How a model was trained, so that it can be evaluated alike.
struct TrainedOn {
  std::string task;  ///< empty: not known, of a model that was imported
  uint64_t seed = 1337;
  int64_t block_size = 64;  ///< of the windows of a text
  std::string newlines = "keep";
  SettingValues settings = {};  ///< of the task
};

/// What makes a file one of adapters.
struct LoraPart {
  std::string base;  ///< weights_digest() of the model that they are of
  LoraAlphas alphas;
};

struct ModelFile {
  std::string kind;
  StateDict settings = {}, weights = {};
  std::shared_ptr<const Tokenizer> tokenizer = nullptr;  ///< none of a model of pictures or of bare ids
  std::vector<int64_t> end_ids = {};
  std::vector<std::string> class_names = {};
  TrainedOn trained_on = {};
  std::optional<LoraPart> lora = {};  ///< then `weights` are not all

  /// ValueError for a kind that this program does not register, StateError for settings that make no model, weights that
  /// are not those of that model, and values that are not finite. Takes next to no time or memory, whatever the settings.
  void check() const;
  /// The model, in evaluation. Errors as check(); StateError for adapters alone.
  std::unique_ptr<Model> build() const;

  /// The tree of a file that holds the model alone.
  StateDict state() const;
  /// Out of the tree of any file that holds a model. StateError with what is wrong.
  static ModelFile from_state(const StateDict& state, const Say& say);
  /// FileError, beginning with the path, when the file is damaged, foreign or holds no model.
  static ModelFile read(const std::string& path, const Say& say);
  struct WriteOptions {
    bool bfloat16 = false;  ///< weights at half the size, rounded to nearest
  };
  void write(const std::string& path) const { write(path, WriteOptions()); }
  void write(const std::string& path, WriteOptions options) const;
};

/// 32 hexadecimal digits that name these weights: of names, types, shapes and bytes.
std::string weights_digest(const StateDict& weights);

/// StateError that names the first array with a value that is not finite, behind `who`: "PATH: ".
void check_finite(const StateDict& weights, const std::string& who = "");

/// Whether the tree of a file is of the first format.
bool is_first_format(const StateDict& state);

}  // namespace weft
