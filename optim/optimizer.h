// Optimizer: what all of them share. A new one writes update(): how one parameter changes given its gradient
// and state; and a row in make_optimizer.cpp.
#pragma once

#include <weft/lib/array/state_dict.h>
#include <weft/optim/optimizer_shares.h>
#include <weft/optim/parameter_groups.h>

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace weft {

/// One parameter's part of a step.
struct ParameterUpdate {
  Array& parameter;
  const Array& grad;
  double grad_scale;  ///< to be multiplied with the gradient
  double lr, weight_decay;
  int64_t step;  ///< of this parameter, counted from 1: those in which it had a gradient
  /// In the order of their names, zeros at first; those that the parameter does not have are undefined.
  std::vector<Array>& slots;
};

/// State follows the names of the parameters, so a checkpoint does not depend on their order. Each parameter counts the
/// steps in which it had a gradient, so that one that begins late (unfrozen, a new head) moves as if it began anew.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// What make_optimizer() calls it: "adamw".
  virtual std::string name() const = 0;
  /// One update of every parameter that has a gradient, in place; gradients are multiplied by `grad_scale` on
  /// the way. Whether they are finite is not looked at, which would be to read them once more: TrainStep and
  /// clip_grad_norm() do. The state of a parameter whose type has changed (Module::to) follows it. StateError, before anything is
  /// updated, for a gradient or a state of another shape than the parameter has now, for a gradient of another type, and
  /// for what backward reached beside these parameters but nobody asked for, as of a module that is no child
  /// (layers/module.h).
  void step(double grad_scale = 1.0);
  /// Forgets all gradients.
  void zero_grad();
  /// Learning rate from now on; that of a group is lr times its lr_scale. ValueError for one below 0.
  void set_lr(double lr);
  double lr() const { return lr_; }

  /// Updates made so far.
  int64_t steps() const { return steps_; }
  std::vector<NamedTensor> parameters() const;

  /// From now on each of these processes keeps the state of its share of the parameters alone, updates that, and gives the
  /// others the new weights: step(), state_dict() and shared_state_dict() are then called by all alike, and the state is
  /// whole at the first of them only; at the others it is empty but for "step" and "counts". The same bits as without.
  void share_out(Processes& processes);

  /// "step", one dict of arrays by parameter name for each slot, and "counts", the steps of each parameter that has not
  /// taken part in all, where there are any. Copies: a snapshot to keep, and to come back to.
  StateDict state_dict() const;
  /// The same without copies: the arrays themselves, which change with the next step. For writing a checkpoint on the
  /// spot.
  StateDict shared_state_dict() const;
  /// What the state takes here.
  int64_t state_bytes() const;
  /// StateError, with the three lists of names, when the state does not fit the parameters; nothing is
  /// changed then.
  void load_state_dict(const StateDict& state);
  /// Takes over what fits by name, shape and type, of a model that has changed: parameters whose state is whole go on,
  /// the others begin anew, and the report names those that are new (missing), gone (unexpected) or of another shape.
  /// steps() goes on from `state`. StateError for a state of an optimizer with other slots.
  LoadReport load_matching(const StateDict& state);

 protected:
  /// `slots` names the arrays that may be kept for each parameter, all of its type. ValueError when a name
  /// occurs twice, for a slot called "step" or "counts", and for an lr, a weight decay or a scale of a group below 0.
  Optimizer(std::vector<ParameterGroup> groups, double lr, double weight_decay,
            std::vector<std::string> slots);
  virtual void update(const ParameterUpdate& update) = 0;
  /// Shape of each slot of a parameter, nothing for a slot that it does not have; by default all are of the
  /// parameter's shape.
  virtual std::vector<std::optional<Shape>> slot_shapes(const NamedTensor& parameter) const;
  /// Whether an element's update depends on that element, its gradient and its state alone, so that update() may be given
  /// a part of them, as one axis. Else the parameter stays whole where states are shared out.
  virtual bool is_by_element(const NamedTensor& parameter) const;
  /// ValueError that names the optimizer and the option unless least <= value < end.
  static void check_option(const char* optimizer, const char* option, double value, double least = 0.0,
                           double end = std::numeric_limits<double>::infinity());

 private:
  /// Of a parameter, from its first gradient on.
  struct Kept {
    Shape shape;  ///< the parameter's
    std::vector<Array> slots;
    int64_t steps = 0;
  };

  /// Of a state that is shared out, what is this process's.
  void keep_own(std::map<std::string, Kept>& kept) const;
  void gather_weights();
  /// A slot of each parameter, whole; of a state that is shared out undefined except at the first process.
  std::vector<Array> whole_slot(size_t slot) const;
  /// StateError for a gradient or a state of before a parameter changed its shape.
  void check_gradients() const;
  /// Whether a parameter has any slot.
  bool has_slots(const NamedTensor& parameter) const;
  /// "step" of a state of this optimizer. StateError for other keys, and for counts that are not in [0, step].
  int64_t checked_steps(const StateDict& state) const;

  std::vector<ParameterGroup> groups_;
  double lr_, weight_decay_;
  std::vector<std::string> slot_names_;
  std::map<std::string, Kept> kept_;
  int64_t steps_ = 0;
  std::optional<OptimizerShares> shares_;
};

}  // namespace weft
