#include <weft/optim/adafactor.h>
#include <weft/optim/adam.h>
#include <weft/optim/lion.h>
#include <weft/optim/make_optimizer.h>
#include <weft/optim/muon.h>
#include <weft/optim/sgd.h>

#include <algorithm>

namespace weft {

namespace {

using Groups = std::vector<ParameterGroup>;

/// Takes over what is set of the options that the struct has.
template <class Options>
Options with(const OptimizerOptions& set) {
  Options o;
  o.lr = set.lr.value_or(o.lr);
  o.weight_decay = set.weight_decay.value_or(o.weight_decay);
  if constexpr (requires { o.beta1; }) o.beta1 = set.beta1.value_or(o.beta1);
  if constexpr (requires { o.beta2; }) o.beta2 = set.beta2.value_or(o.beta2);
  if constexpr (requires { o.eps; }) o.eps = set.eps.value_or(o.eps);
  if constexpr (requires { o.momentum; }) o.momentum = set.momentum.value_or(o.momentum);
  return o;
}

template <class Options>
std::vector<std::string> options_of() {
  std::vector<std::string> names;
  const Options o;
  if constexpr (requires { o.beta1; }) names.emplace_back("beta1");
  if constexpr (requires { o.beta2; }) names.emplace_back("beta2");
  if constexpr (requires { o.eps; }) names.emplace_back("eps");
  if constexpr (requires { o.momentum; }) names.emplace_back("momentum");
  return names;
}

template <class O, class Options>
std::unique_ptr<Optimizer> make(Groups groups, const OptimizerOptions& set) {
  return std::make_unique<O>(std::move(groups), with<Options>(set));
}

struct Row {
  const char* name;
  std::unique_ptr<Optimizer> (*make)(Groups groups, const OptimizerOptions& set);
  std::vector<std::string> (*options)();
};

const Row rows[] = {
    {"adamw", make<AdamW, AdamWOptions>, options_of<AdamWOptions>},
    {"adam", make<Adam, AdamOptions>, options_of<AdamOptions>},
    {"sgd", make<SGD, SGDOptions>, options_of<SGDOptions>},
    {"lion", make<Lion, LionOptions>, options_of<LionOptions>},
    {"adafactor", make<Adafactor, AdafactorOptions>, options_of<AdafactorOptions>},
    {"muon", make<Muon, MuonOptions>, options_of<MuonOptions>},
};

const Row& row_of(const std::string& name) {
  std::string known;
  for (const Row& row : rows) {
    if (name == row.name) return row;
    known += str(known.empty() ? "" : ", ", row.name);
  }
  fail<ValueError>("there is no optimizer '", name, "'; there are ", known);
}

}  // namespace

std::vector<std::string> optimizer_names() {
  std::vector<std::string> names;
  for (const Row& row : rows) names.emplace_back(row.name);
  return names;
}

std::vector<std::string> optimizer_options(const std::string& name) { return row_of(name).options(); }

std::unique_ptr<Optimizer> make_optimizer(const std::string& name, std::vector<ParameterGroup> groups,
                                          const OptimizerOptions& options) {
  const Row& row = row_of(name);
  const std::vector<std::string> known = row.options();
  const std::pair<const char*, std::optional<double>> given[] = {{"beta1", options.beta1},
                                                                 {"beta2", options.beta2},
                                                                 {"eps", options.eps},
                                                                 {"momentum", options.momentum}};
  for (const auto& [option, value] : given) {
    if (value && std::find(known.begin(), known.end(), option) == known.end())
      fail<ValueError>(name, ": has no option ", option, ", which is set to ", *value);
  }
  return row.make(std::move(groups), options);
}

}  // namespace weft
