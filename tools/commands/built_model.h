// How a command keeps the weights of a model that it only uses: --weights.
#pragma once

#include <weft/train/files/opened_model.h>

#include <memory>
#include <string>

namespace weft::tools {

/// The model, in evaluation, with its weights as `weights` says: "float32", as they are, or "int8" (layers/quantize.h). What
/// the file had of weights and of the optimizer's state is gone then. ValueError for another word; else errors as
/// OpenedModel::build().
std::unique_ptr<Model> built_model(OpenedModel& opened, const std::string& weights);

}  // namespace weft::tools
