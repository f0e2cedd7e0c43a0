#include "built_model.h"

#include <weft/layers/models/registry.h>
#include <weft/layers/quantize.h>
#include <weft/lib/base/advice.h>

namespace weft::tools {
namespace {

/// OpenedModel::build() with the arrays of the file themselves, in half the memory.
std::unique_ptr<Model> taken(OpenedModel& opened) {
  opened.check();
  ModelFile& file = opened.checkpoint.model;
  const NoInit no_init;
  const NoGrad no_grad;
  std::unique_ptr<Model> model = make_model(file.kind, file.settings);
  for (auto& [name, tensor] : model->parameters()) tensor.set_value(file.weights.array(name));
  for (auto& [name, tensor] : model->buffers()) tensor.mutable_value().copy_from(file.weights.array(name));
  model->eval();
  file.weights = {};
  if (auto& training = opened.checkpoint.training) training->optimizer = training->weights = {};
  return model;
}

}  // namespace

std::unique_ptr<Model> built_model(OpenedModel& opened, const std::string& weights) {
  if (weights != "float32" && weights != "int8")
    fail_with<ValueError>({.typed = {"--weights", weights}, .meant = {"--weights", "int8"}}, "--weights: '",
                          weights, "' is neither float32 nor int8");
  std::unique_ptr<Model> model = taken(opened);
  if (weights == "int8") quantize_weights(*model);
  return model;
}

}  // namespace weft::tools
