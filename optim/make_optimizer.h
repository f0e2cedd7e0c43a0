// All optimizers by name, ours and a user's. One of a user's derives from Optimizer (optimizer.h), is made from groups of
// parameters and a struct of options that has settings() (lib/settings/settings.h) with lr and weight_decay among them,
// and is known after
//   register_optimizer<Mine, MineOptions>("mine");
#pragma once

#include <weft/lib/settings/registry.h>
#include <weft/lib/settings/settings.h>
#include <weft/optim/optimizer.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weft {

struct OptimizerEntry {
  std::string name;
  std::vector<Setting> settings;
  /// Options that are not given have the struct's own default.
  std::function<std::unique_ptr<Optimizer>(std::vector<ParameterGroup> groups, const SettingValues& given)>
      make;
};

/// The registry, in which ours are from the start: adamw, adam, sgd, lion, adafactor, muon.
Registry<OptimizerEntry>& optimizers();

/// ValueError for a name that is taken.
template <class O, class Options>
void register_optimizer(const std::string& name);

/// ValueError for a name that nobody knows, and for an option that is given but that the optimizer does not have, or is
/// out of range.
std::unique_ptr<Optimizer> make_optimizer(const std::string& name, std::vector<ParameterGroup> groups,
                                          const SettingValues& given = {});

namespace detail {
template <class O, class Options>
OptimizerEntry optimizer_entry(const std::string& name) {
  return {.name = name,
          .settings = Options::settings().list(),
          .make = [](std::vector<ParameterGroup> groups,
                     const SettingValues& given) -> std::unique_ptr<Optimizer> {
            Options options;
            Options::settings().take(options, given);
            return std::make_unique<O>(std::move(groups), options);
          }};
}
}  // namespace detail

template <class O, class Options>
void register_optimizer(const std::string& name) {
  optimizers().add(detail::optimizer_entry<O, Options>(name));
}

}  // namespace weft
