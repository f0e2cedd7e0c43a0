// All optimizers by name. A new one is one more row in make_optimizer.cpp.
#pragma once

#include <weft/optim/optimizer.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weft {

/// What may be set by name; what is not set has the optimizer's own default.
struct OptimizerOptions {
  std::optional<double> lr{}, weight_decay{}, beta1{}, beta2{}, eps{}, momentum{};
};

/// "adam", "adamw", "sgd", "lion", "adafactor", "muon".
std::vector<std::string> optimizer_names();
/// Of OptimizerOptions, those that an optimizer has beside lr and weight_decay.
std::vector<std::string> optimizer_options(const std::string& name);

/// ValueError for a name that nobody knows, and for an option that is set but that the optimizer does not
/// have, or is out of range.
std::unique_ptr<Optimizer> make_optimizer(const std::string& name, std::vector<ParameterGroup> groups,
                                          const OptimizerOptions& options = {});

}  // namespace weft
