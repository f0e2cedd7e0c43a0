#include <weft/lib/profile.h>
#include <weft/optim/optimizer.h>

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

Optimizer::Optimizer(std::vector<std::vector<NamedTensor>> groups, std::vector<std::string> slots)
    : groups_(std::move(groups)), slot_names_(std::move(slots)) {
  std::set<std::string> names;
  for (const NamedTensor& p : parameters()) {
    if (!names.insert(p.name).second)
      fail<ValueError>("optimizer: the parameter '", p.name, "' is given twice");
    if (!p.tensor.is_leaf())
      fail<StateError>("optimizer: '", p.name, "' is the result of ", p.tensor.op_name(),
                       ", not a parameter");
  }
}

std::vector<NamedTensor> Optimizer::parameters() const {
  std::vector<NamedTensor> all;
  for (const auto& group : groups_) all.insert(all.end(), group.begin(), group.end());
  return all;
}

void Optimizer::step(double grad_scale) {
  const NoGrad no_grad;
  ++steps_;
  for (size_t group = 0; group < groups_.size(); ++group) {
    for (auto& [name, tensor] : groups_[group]) {
      const Tensor grad = tensor.grad();
      if (!grad.defined()) continue;
      const OpScope profile("update", layer_of(name));
      auto [place, first] = slots_.try_emplace(name);
      if (first) {
        for (size_t i = 0; i < slot_names_.size(); ++i)
          place->second.push_back(Array::zeros(tensor.shape(), tensor.dtype()));
      }
      update(group, steps_, tensor.mutable_value(), grad.value(), grad_scale, place->second);
    }
  }
}

void Optimizer::zero_grad() {
  for (auto& group : groups_) {
    for (auto& [name, tensor] : group) tensor.zero_grad();
  }
}

StateDict Optimizer::state_dict() const {
  StateDict state;
  state.set("step", steps_);
  for (size_t i = 0; i < slot_names_.size(); ++i) {
    StateDict arrays;
    for (const auto& [name, slots] : slots_) arrays.set(name, slots[i]);
    state.set(slot_names_[i], arrays);
  }
  return state;
}

void Optimizer::load_state_dict(const StateDict& state) {
  const int64_t steps = state.integer("step");
  if (steps < 0) fail<StateError>("optimizer: the state counts ", steps, " steps");
  std::map<std::string, Array> shapes;
  for (const NamedTensor& p : parameters()) shapes.emplace(p.name, p.tensor.value());
  std::map<std::string, std::vector<Array>> loaded;
  for (const std::string& slot : slot_names_) {
    const StateDict& arrays = state.dict(slot);
    // A parameter that never had a gradient has no state yet.
    std::map<std::string, Array> wanted;
    for (const auto& [name, array] : shapes) {
      if (arrays.contains(name)) wanted.emplace(name, array);
    }
    const LoadReport report = compare_arrays(wanted, arrays);
    if (!report.ok())
      fail<StateError>("optimizer: the state '", slot, "' does not fit the parameters\n", report.message());
    for (const auto& [name, array] : wanted) loaded[name].push_back(arrays.array(name).copy());
  }
  for (const auto& [name, slots] : loaded) {
    if (slots.size() != slot_names_.size())
      fail<StateError>("optimizer: the state of '", name, "' is not complete");
  }
  slots_ = std::move(loaded);
  steps_ = steps;
}

}  // namespace weft
