// What transformers and weft call the same things, one kind of model at a time. A model more is one more
// source hugging_face_NAME.cpp, and one more row of `families` in hugging_face.cpp.
#pragma once

#include <weft/lib/state_dict.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "hugging_face_config.h"

namespace weft::tools {

/// How a tensor of theirs becomes ours.
enum class Turn {
  none,
  transposed,  ///< a matrix the other way round: (in, out)
  unbatched,   ///< without leading axes of extent 1, of which theirs has `leading_ones`
};

struct Mapping {
  std::string theirs;
  std::vector<std::string> ours;  ///< several: theirs is these along its output axis, in equal parts
  Turn turn = Turn::none;
  int leading_ones = 1;
};
using Mappings = std::vector<Mapping>;

/// Mappings in which * stands for the number of a block, for `count` blocks.
void add_blocks(Mappings& to, int64_t count, const Mappings& block);

struct Family {
  const char* kind;                        ///< Model::kind()
  const char* model_type;                  ///< in config.json
  std::vector<std::string> architectures;  ///< those that are read
  const char* prefix;                      ///< of the body's weights; files may leave it out
  /// Our configuration, without what cannot be; `notes` likewise as in BareModel.
  StateDict (*config_of)(const HuggingFaceConfig& theirs, std::vector<std::string>& notes);
  /// Theirs, model_type apart; with "architectures".
  nlohmann::ordered_json (*config_for)(const StateDict& ours);
  Mappings (*mappings)(const StateDict& config);
  /// Second names of a tensor: (the name, that of the first). When there, both must be equal.
  std::vector<std::pair<std::string, std::string>> ties = {};
  /// Tensors that change nothing, * being any number: constants, and heads that are not used.
  std::vector<std::string> ignored = {};
};

Family gpt2_family();
Family bert_family();

}  // namespace weft::tools
