#include "built_model.h"

#include <weft/layers/quantize.h>
#include <weft/lib/base/error.h>

namespace weft::tools {

std::unique_ptr<Model> built_model(OpenedModel& opened, const std::string& weights) {
  if (weights != "float32" && weights != "int8")
    fail<ValueError>("--weights: '", weights, "' is neither float32 nor int8");
  std::unique_ptr<Model> model = opened.build();
  opened.checkpoint.model.weights = {};
  if (auto& training = opened.checkpoint.training) training->optimizer = training->weights = {};
  if (weights == "int8") quantize_weights(*model);
  return model;
}

}  // namespace weft::tools
