// A file of adapters (ModelFile::lora) and the file of the model that they are of, its base, as one model.
//
// The base is where the command was told (--base), or where the run's config.toml says (lora_base, else init_from), or base.toml
// in the folder of the file, which has the same keys. Its weights must have the digest that the adapters name.
#pragma once

#include <weft/train/files/opened_model.h>

#include <string>

namespace weft {

/// The base of opened adapters, whole; `named` empty: where it is said to be. FileError, with what to type, when nobody
/// says, when it is not there, and when it is another model.
OpenedModel open_base(const OpenedModel& adapted, const std::string& named, const Say& say);

/// All weights of adapters and their base, each layer's adapter beside its weight. StateError for what both lack.
StateDict joined_weights(const ModelFile& adapted, const ModelFile& base);

/// Makes opened adapters a whole model, into whose weights they are folded (without_lora); what the file held stays in
/// OpenedModel::adapters.
void complete(OpenedModel& adapted, const std::string& base, const Say& say);

}  // namespace weft
