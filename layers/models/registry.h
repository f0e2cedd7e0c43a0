// All models by name. A new model is one more row in registry.cpp.
#pragma once

#include <weft/layers/models/model.h>

#include <memory>
#include <string>
#include <vector>

namespace weft {

/// What Model::kind() may be: "gpt2", "llama", ...
std::vector<std::string> model_kinds();

/// The model that Model::kind() and Model::config_state() describe. Its first values come from the
/// RandomScope of this thread, or are zeros under NoInit. ValueError for a kind that nobody knows and for a
/// configuration out of range; StateError for one that is incomplete.
std::unique_ptr<Model> make_model(const std::string& kind, const StateDict& config);

}  // namespace weft
