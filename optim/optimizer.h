// Optimizer: what all of them share. A new one writes update(): how one parameter changes given its gradient
// and state.
#pragma once

#include <weft/autograd/named_tensor.h>
#include <weft/lib/state_dict.h>

#include <map>
#include <string>
#include <vector>

namespace weft {

/// Parameters that share their settings.
template <class Options>
struct ParameterGroup {
  std::vector<NamedTensor> parameters;
  Options options;
};

/// State follows the names of the parameters, so a checkpoint does not depend on their order.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One update of every parameter that has a gradient, in place; gradients are multiplied by `grad_scale` on
  /// the way.
  void step(double grad_scale = 1.0);
  /// Forgets all gradients.
  void zero_grad();
  /// Learning rate of all groups, from now on.
  virtual void set_lr(double lr) = 0;

  /// Updates made so far.
  int64_t steps() const { return steps_; }
  std::vector<NamedTensor> parameters() const;

  /// "step", and one dict of arrays by parameter name for each slot.
  StateDict state_dict() const;
  /// StateError, with the three lists of names, when the state does not fit the parameters; nothing is
  /// changed then.
  void load_state_dict(const StateDict& state);

 protected:
  /// `slots` names the arrays kept for each parameter, all of its shape and type, zeros at first. ValueError
  /// when a name occurs twice.
  Optimizer(std::vector<std::vector<NamedTensor>> groups, std::vector<std::string> slots);
  /// Changes `parameter`, given its gradient and its slots in the order of their names above; `t` counts
  /// updates from 1.
  virtual void update(size_t group, int64_t t, Array& parameter, const Array& grad, double grad_scale,
                      std::vector<Array>& slots) = 0;

 private:
  std::vector<std::vector<NamedTensor>> groups_;
  std::vector<std::string> slot_names_;
  std::map<std::string, std::vector<Array>> slots_;
  int64_t steps_ = 0;
};

/// Takes the parameters and the options of a list of groups apart.
template <class Options>
std::vector<std::vector<NamedTensor>> parameters_of(const std::vector<ParameterGroup<Options>>& groups) {
  std::vector<std::vector<NamedTensor>> all;
  for (const auto& group : groups) all.push_back(group.parameters);
  return all;
}
template <class Options>
std::vector<Options> options_of(const std::vector<ParameterGroup<Options>>& groups) {
  std::vector<Options> all;
  for (const auto& group : groups) all.push_back(group.options);
  return all;
}

/// Two groups: parameters of two or more axes with `options` as they are, the others (biases, norms) without
/// weight decay.
template <class Options>
std::vector<ParameterGroup<Options>> decay_matrices_only(const std::vector<NamedTensor>& parameters,
                                                         Options options) {
  std::vector<ParameterGroup<Options>> groups{{{}, options}, {{}, options}};
  groups[1].options.weight_decay = 0.0;
  for (const NamedTensor& p : parameters) groups[p.tensor.rank() >= 2 ? 0 : 1].parameters.push_back(p);
  return groups;
}

}  // namespace weft
