// Models as Hugging Face's transformers keeps them, to ours and back: a folder with config.json, and weights
// in safetensors under transformers' names. What differs between the two is told for each kind of model by
// one Family (hugging_face_family_internal.h).
//
// Reading is strict: FileError, which begins with the path, for a config.json that is longer than a megabyte,
// no JSON object, or holds a key twice; for an architecture or an activation that weft does not have, and any
// option that would change what the model says; for weights that are missing, unknown, of another shape, or
// no floating numbers, and ties that do not hold.
#pragma once

#include <weft/lib/array/state_dict.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace weft {

/// A model of ours, as a checkpoint holds it.
struct BareModel {
  std::string kind;
  StateDict config, weights;  ///< what make_model and load_state_dict take; weights are float32
  int64_t end_id = -1;        ///< eos_token_id; -1: none
  int64_t pad_id = -1;        ///< pad_token_id of a model that tells classes; -1: none
  std::vector<std::string> class_names = {};  ///< id2label; none where it says no more than numbers
  std::vector<std::string> notes = {};        ///< what was left out, or is not quite the same in training
};

struct HuggingFaceModel {
  std::string config;  ///< the text of config.json
  std::map<std::string, Array> tensors;
};

/// `path` is for the messages.
BareModel from_hugging_face(const HuggingFaceModel& model, const std::string& path);
/// Weights as `dtype`, float32 or bfloat16. ValueError for a kind of model that transformers does not have in this form,
/// naming those that it has.
HuggingFaceModel to_hugging_face(const BareModel& model, DType dtype = float32);

/// The two files of a folder, or config.json and all shards that an index names.
HuggingFaceModel read_hugging_face(const std::string& folder);
/// Makes a folder, and those above it, unless it is there.
void make_folders(const std::string& folder);
/// Makes the folder, and writes both files, the weights first, each whole or not at all.
void write_hugging_face(const std::string& folder, const HuggingFaceModel& model);

}  // namespace weft
