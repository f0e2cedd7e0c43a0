// Low-rank adapters as Hugging Face's peft keeps them, to ours and back: a folder with adapter_config.json and
// adapter_model.safetensors, whose tensors are base_model.model.MODULE.lora_A.weight (r, in) and .lora_B.weight (out, r) under
// transformers' names, beside the modules that are trained in full (modules_to_save).
//
// GPT-2's c_attn is query, key and value in one. Theirs of it becomes an adapter of each of ours: the same A, and a third of
// B. Ours become A's on top of each other and B's as blocks with zeros elsewhere, of the sum of the ranks, unless they have one
// A in common; both ways what the model computes stays exactly the same, and what was written so is read back as it was.
#pragma once

#include <weft/exchange/hugging_face.h>
#include <weft/layers/lora.h>

#include <map>
#include <string>
#include <vector>

namespace weft {

/// Adapters of ours, as a checkpoint holds them.
struct BareAdapters {
  StateDict weights = {};  ///< LAYER.lora_A and LAYER.lora_B by path, and what is trained in full
  LoraAlphas alphas = {};
  double dropout = 0.0;                 ///< of what adapters read, in training
  StateDict config = {};                ///< of the model with them: it may tell other classes than its base
  std::vector<std::string> notes = {};  ///< what was left out
};

struct PeftAdapters {
  std::string config;  ///< the text of adapter_config.json
  std::map<std::string, Array> tensors;
};

/// Of `base`, a model of ours. FileError, which begins with `path`, for adapters that are not LoRA's, options that would
/// change what the model says (DoRA, trained biases, adapters of embeddings, a base that was changed: PiSSA, OLoRA, ...), and
/// tensors that are missing, unknown, or do not fit the model.
BareAdapters from_peft(const PeftAdapters& adapters, const BareModel& base, const std::string& path);
/// `whole` is the model with what is trained in full, and the weights that the adapters lie beside. ValueError for a model
/// that transformers does not have, and for what is trained in full that peft cannot hold: an embedding that is the output
/// layer too, what is no module of its own, and a layer that has an adapter too.
PeftAdapters to_peft(const BareModel& whole, const BareAdapters& adapters);

/// Whether there is an adapter_config.json.
bool is_peft(const std::string& folder);
PeftAdapters read_peft(const std::string& folder);
/// Makes the folder, and writes both files, the tensors first, each whole or not at all.
void write_peft(const std::string& folder, const PeftAdapters& adapters);

}  // namespace weft
