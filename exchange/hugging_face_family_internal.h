// What transformers and weft call the same things, one kind of model at a time. A model more is one more
// source hugging_face_NAME.cpp, and one more row of `families` in hugging_face.cpp.
#pragma once

#include <weft/lib/array/state_dict.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "hugging_face_config_internal.h"

namespace weft {

/// How a tensor of theirs becomes ours.
enum class Turn {
  none,
  transposed,  ///< a matrix the other way round: (in, out)
  unbatched,   ///< without a leading axis of extent 1
};

struct Mapping {
  std::string theirs;
  std::vector<std::string> ours;  ///< several: theirs is these along its output axis, in equal parts
  Turn turn = Turn::none;
};
using Mappings = std::vector<Mapping>;

/// Mappings in which * stands for the number of a block, for `count` blocks.
void add_blocks(Mappings& to, int64_t count, const Mappings& block);

/// All weights that a model of one configuration has.
struct Names {
  Mappings mappings;
  /// Second names of a tensor: (the name, that of the first). When both are there they must be equal.
  std::vector<std::pair<std::string, std::string>> ties = {};
  /// Tensors that change nothing, * being any number: constants, and heads that are not used.
  std::vector<std::string> ignored = {};
};

struct Family {
  const char* kind;                        ///< Model::kind()
  const char* model_type;                  ///< in config.json
  std::vector<std::string> architectures;  ///< those that are read
  const char* prefix;                      ///< of the body's weights; files may leave it out
  /// Our configuration; FileError for what weft does not have, `notes` as in BareModel.
  StateDict (*config_of)(const HuggingFaceConfig& theirs, const std::map<std::string, Array>& tensors,
                         std::vector<std::string>& notes);
  /// Theirs, with "architectures", without model_type, dtype, eos_token_id and labels. ValueError for what
  /// transformers does not have.
  nlohmann::ordered_json (*config_for)(const StateDict& ours);
  Names (*names)(const StateDict& config);
  /// Whether it is the layout of such a configuration, among those of its kind; null: of any.
  bool (*holds)(const StateDict& ours) = nullptr;
};

/// Notes keys of theirs whose dropout is not the one that weft has everywhere.
void note_dropout(const HuggingFaceConfig& theirs, const std::vector<std::string>& keys, double fallback,
                  double ours, std::vector<std::string>& notes);
/// Whether it is this architecture, one for the classes of a whole text; FileError where it tells several at once.
bool tells_classes(const HuggingFaceConfig& theirs, const char* architecture);
/// How many labels a classifier has.
int64_t class_count(const HuggingFaceConfig& theirs);

/// Of a model of ours. ValueError, with those that there are, for a kind that transformers does not have.
const Family& family_for(const std::string& kind, const StateDict& config);
/// Whether a tensor is among Names::ignored, with or without the body's prefix.
bool is_ignored(const std::string& name, const Family& family, const Names& names);

Family gpt2_family();
Family llama_family();
Family qwen3_family();
Family bert_family();
Family t5_family();
Family vit_family();

}  // namespace weft
