// From the keys of a configuration, and what the data say, to the configuration of a model. A new model is
// one more row in model_config.cpp.
#pragma once

#include <weft/layers/models/registry.h>

#include <memory>
#include <string>
#include <vector>

#include "task.h"

namespace weft {

/// What make_model (layers/models/registry.h) takes. ValueError when the model does not take such a task,
/// naming those that do, and for values out of range.
StateDict model_config(const Config& config, TaskKind kind, const DataShape& shape);
/// As far as that can be known before there are data.
void check_model(const Config& config);

/// The model of a run, with first values.
std::unique_ptr<Model> make_model(const Config& config, const Task& task);

/// "gpt2      text, stories, recall": a line for each model.
std::string models_help();

}  // namespace weft
