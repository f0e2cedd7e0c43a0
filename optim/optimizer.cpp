#include <weft/lib/base/join.h>
#include <weft/lib/profile/profile.h>
#include <weft/optim/optimizer.h>

#include <cmath>
#include <set>
#include <string_view>

namespace weft {

namespace {

/// The path of the layer that a parameter belongs to.
std::string_view layer_of(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

}  // namespace

Optimizer::Optimizer(std::vector<ParameterGroup> groups, double lr, double weight_decay,
                     std::vector<std::string> slots)
    : groups_(std::move(groups)), lr_(lr), weight_decay_(weight_decay), slot_names_(std::move(slots)) {
  check_option("optimizer", "lr", lr);
  check_option("optimizer", "weight_decay", weight_decay);
  for (const ParameterGroup& group : groups_) {
    check_option("optimizer", "lr_scale", group.lr_scale);
    check_option("optimizer", "weight_decay_scale", group.weight_decay_scale);
  }
  std::set<std::string> names;
  for (const NamedTensor& p : parameters()) {
    if (!names.insert(p.name).second)
      fail<ValueError>("optimizer: the parameter '", p.name, "' is given twice");
    if (!p.tensor.is_leaf())
      fail<StateError>("optimizer: '", p.name, "' is the result of ", p.tensor.op_name(),
                       ", not a parameter");
  }
}

void Optimizer::check_option(const char* optimizer, const char* option, double value, double least,
                             double end) {
  if (value >= least && value < end) return;
  fail<ValueError>(optimizer, ": ", option, " = ", value,
                   std::isfinite(end) ? str(" is not in [", least, ", ", end, ")")
                                      : str(" is not a number from ", least, " on"));
}

std::vector<NamedTensor> Optimizer::parameters() const {
  std::vector<NamedTensor> all;
  for (const ParameterGroup& group : groups_)
    all.insert(all.end(), group.parameters.begin(), group.parameters.end());
  return all;
}

void Optimizer::set_lr(double lr) {
  check_option("optimizer", "lr", lr);
  lr_ = lr;
}

std::vector<std::optional<Shape>> Optimizer::slot_shapes(const NamedTensor& parameter) const {
  return std::vector<std::optional<Shape>>(slot_names_.size(), parameter.tensor.shape());
}

void Optimizer::step(double grad_scale) {
  const NoGrad no_grad;
  ++steps_;
  for (ParameterGroup& group : groups_) {
    for (NamedTensor& p : group.parameters) {
      const Tensor grad = p.tensor.grad();
      if (!grad.defined()) continue;
      const OpScope profile("update", layer_of(p.name));
      auto [place, first] = slots_.try_emplace(p.name);
      if (first) {
        for (const std::optional<Shape>& shape : slot_shapes(p))
          place->second.push_back(shape ? Array::zeros(*shape, p.tensor.dtype()) : Array());
      }
      update({.parameter = p.tensor.mutable_value(),
              .grad = grad.value(),
              .grad_scale = grad_scale,
              .lr = lr_ * group.lr_scale,
              .weight_decay = weight_decay_ * group.weight_decay_scale,
              .step = steps_,
              .slots = place->second});
    }
  }
}

void Optimizer::zero_grad() {
  for (ParameterGroup& group : groups_) {
    for (NamedTensor& p : group.parameters) p.tensor.zero_grad();
  }
}

StateDict Optimizer::state_dict() const {
  StateDict state;
  state.set("step", steps_);
  for (size_t i = 0; i < slot_names_.size(); ++i) {
    StateDict arrays;
    for (const auto& [name, slots] : slots_) {
      if (slots[i].defined()) arrays.set(name, slots[i]);
    }
    state.set(slot_names_[i], arrays);
  }
  return state;
}

void Optimizer::load_state_dict(const StateDict& state) {
  const int64_t steps = state.integer("step");
  if (steps < 0) fail<StateError>("optimizer: the state counts ", steps, " steps");
  const std::vector<NamedTensor> all = parameters();
  std::map<std::string, std::vector<Array>> loaded;
  for (size_t i = 0; i < slot_names_.size(); ++i) {
    const StateDict& arrays = state.dict(slot_names_[i]);
    // A parameter that never had a gradient has no state yet.
    std::map<std::string, Array> wanted;
    for (const NamedTensor& p : all) {
      const std::optional<Shape> shape = slot_shapes(p)[i];
      if (shape && arrays.contains(p.name))
        wanted.emplace(p.name,
                       *shape == p.tensor.shape() ? p.tensor.value() : Array(*shape, p.tensor.dtype()));
    }
    const LoadReport report = compare_arrays(wanted, arrays);
    if (!report.ok())
      fail<StateError>("optimizer: the state '", slot_names_[i], "' does not fit the parameters\n",
                       report.message());
    for (const auto& [name, array] : wanted) {
      std::vector<Array>& slots = loaded[name];
      slots.resize(slot_names_.size());
      slots[i] = arrays.array(name).copy();
    }
  }
  for (const NamedTensor& p : all) {
    if (!loaded.contains(p.name)) continue;
    const std::vector<std::optional<Shape>> shapes = slot_shapes(p);
    for (size_t i = 0; i < shapes.size(); ++i) {
      if (shapes[i] && !loaded[p.name][i].defined())
        fail<StateError>("optimizer: the state of '", p.name, "' is not complete");
    }
  }
  slots_ = std::move(loaded);
  steps_ = steps;
}

LoadReport Optimizer::load_matching(const StateDict& state) {
  std::set<std::string> names(slot_names_.begin(), slot_names_.end());
  names.insert("step");
  const std::vector<std::string> found = state.keys();
  if (!std::equal(found.begin(), found.end(), names.begin(), names.end()))
    fail<StateError>("optimizer: the state has ", joined(found), ", not ", joined(names),
                     ", and so is of another optimizer than ", name());
  LoadReport report;
  std::map<std::string, std::vector<Array>> loaded;
  std::set<std::string> known;
  for (const NamedTensor& p : parameters()) {
    known.insert(p.name);
    const std::vector<std::optional<Shape>> shapes = slot_shapes(p);
    std::vector<Array> slots(slot_names_.size());
    bool any = false, whole = true;
    for (size_t i = 0; i < shapes.size(); ++i) {
      if (!shapes[i]) continue;
      const StateDict& arrays = state.dict(slot_names_[i]);
      if (!arrays.contains(p.name)) {
        whole = false;
        continue;
      }
      any = true;
      const Array& theirs = arrays.array(p.name);
      if (theirs.shape() != *shapes[i] || theirs.dtype() != p.tensor.dtype()) {
        report.mismatched.push_back(str(p.name, ": wanted ", *shapes[i], " ", p.tensor.dtype(), ", found ",
                                        theirs.shape(), " ", theirs.dtype()));
        whole = false;
        break;
      }
      slots[i] = theirs.copy();
    }
    if (whole && any)
      loaded.emplace(p.name, std::move(slots));
    else if (!any)
      report.missing.push_back(p.name);
  }
  for (const std::string& slot : slot_names_)
    for (const std::string& gone : state.dict(slot).keys())
      if (known.insert(gone).second) report.unexpected.push_back(gone);
  slots_ = std::move(loaded);
  steps_ = state.integer("step");
  return report;
}

}  // namespace weft
