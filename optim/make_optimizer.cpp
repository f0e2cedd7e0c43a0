#include <weft/optim/adafactor.h>
#include <weft/optim/adam.h>
#include <weft/optim/lion.h>
#include <weft/optim/make_optimizer.h>
#include <weft/optim/muon.h>
#include <weft/optim/sgd.h>

#include <algorithm>

namespace weft {
namespace {

void add_ours(Registry<OptimizerEntry>& to) {
  using detail::optimizer_entry;
  to.add(optimizer_entry<AdamW, AdamWOptions>("adamw"));
  to.add(optimizer_entry<Adam, AdamOptions>("adam"));
  to.add(optimizer_entry<SGD, SGDOptions>("sgd"));
  to.add(optimizer_entry<Lion, LionOptions>("lion"));
  to.add(optimizer_entry<Adafactor, AdafactorOptions>("adafactor"));
  to.add(optimizer_entry<Muon, MuonOptions>("muon"));
}

}  // namespace

Registry<OptimizerEntry>& optimizers() {
  static Registry<OptimizerEntry> all("optimizer");
  static const bool filled = (add_ours(all), true);
  static_cast<void>(filled);
  return all;
}

std::unique_ptr<Optimizer> make_optimizer(const std::string& name, std::vector<ParameterGroup> groups,
                                          const SettingValues& given) {
  const OptimizerEntry& entry = optimizers().at(name);
  for (const auto& [option, value] : given.entries())
    if (std::ranges::count(entry.settings, option, &Setting::name) == 0)
      fail<ValueError>(name, ": has no option ", option, ", which is set to ", text_of(value));
  return entry.make(std::move(groups), given);
}

}  // namespace weft
