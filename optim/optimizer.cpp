#include <weft/autograd/claims.h>
#include <weft/lib/base/join.h>
#include <weft/lib/machine/dry_run.h>
#include <weft/lib/profile/profile.h>
#include <weft/optim/optimizer.h>

#include <algorithm>
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

/// Of a slot, when its parameter's type has changed: every float is a double.
Array as_type(const Array& slot, DType dtype) {
  return slot.defined() && slot.dtype() != dtype ? slot.to(dtype) : slot;
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
  for (const std::string& slot : slot_names_)
    if (slot == "step" || slot == "counts") fail<ValueError>("optimizer: no slot can be called '", slot, "'");
  std::set<std::string> names;
  for (const NamedTensor& p : parameters()) {
    if (!names.insert(p.name).second)
      fail<ValueError>("optimizer: the parameter '", p.name, "' is given twice");
    if (!p.tensor.is_leaf())
      fail<StateError>("optimizer: '", p.name, "' is the result of ", p.tensor.op_name(),
                       ", not a parameter");
    hold(p.tensor);
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

void Optimizer::check_gradients() const {
  if (const std::string what = unclaimed_beside(parameters()); !what.empty())
    fail<StateError>("optimizer: ", what);
  for (const ParameterGroup& group : groups_) {
    for (const auto& [name, tensor] : group.parameters) {
      const Tensor grad = tensor.grad();
      if (!grad.defined()) continue;
      if (grad.shape() != tensor.shape() || grad.dtype() != tensor.dtype())
        fail<StateError>("optimizer: the gradient of '", name, "' is ", grad.shape(), " ", grad.dtype(),
                         ", of before the parameter became ", tensor.shape(), " ", tensor.dtype(),
                         "; zero_grad() forgets it");
      if (const auto kept = kept_.find(name); kept != kept_.end() && kept->second.shape != tensor.shape())
        fail<StateError>("optimizer: the state of '", name, "' is of a parameter ", kept->second.shape,
                         ", which is ", tensor.shape(),
                         " now; make a new optimizer, and load_matching() gives it ",
                         "the state of all that is as it was");
    }
  }
}

void Optimizer::step(double grad_scale) {
  const NoGrad no_grad;
  check_gradients();
  ++steps_;
  size_t number = 0;
  for (ParameterGroup& group : groups_) {
    for (NamedTensor& p : group.parameters) {
      const size_t i = number++;
      const Tensor grad = p.tensor.grad();
      if (!grad.defined()) continue;
      const OpScope profile("update", layer_of(p.name));
      const NumberRange whole{0, p.tensor.size()}, mine = shares_ ? shares_->mine(i, p.tensor.size()) : whole;
      auto [place, first] = kept_.try_emplace(p.name);
      Kept& kept = place->second;
      if (first) {
        for (const std::optional<Shape>& shape : slot_shapes(p))
          kept.slots.push_back(shape && mine == whole ? Array::zeros(*shape, p.tensor.dtype())
                               : shape && mine.begin < mine.end
                                   ? Array::zeros({mine.end - mine.begin}, p.tensor.dtype())
                                   : Array());
        kept.shape = p.tensor.shape();
      }
      ++kept.steps;
      if (mine.begin == mine.end && mine != whole) continue;
      for (Array& slot : kept.slots) slot = as_type(slot, p.tensor.dtype());
      Array parameter = p.tensor.mutable_value(), gradient = grad.value();
      if (mine != whole) {
        parameter = parameter.stretch(mine.begin, mine.end);
        gradient = gradient.stretch(mine.begin, mine.end);
      }
      update({.parameter = mine == whole ? p.tensor.mutable_value() : parameter,
              .grad = gradient,
              .grad_scale = grad_scale,
              .lr = lr_ * group.lr_scale,
              .weight_decay = weight_decay_ * group.weight_decay_scale,
              .step = kept.steps,
              .slots = kept.slots});
    }
  }
  if (shares_) gather_weights();
}

bool Optimizer::is_by_element(const NamedTensor&) const { return false; }

void Optimizer::share_out(Processes& processes) {
  if (processes.size() == 1) return;
  const std::vector<NamedTensor> all = parameters();
  std::vector<bool> by_element;
  for (const NamedTensor& p : all) by_element.push_back(is_by_element(p));
  shares_.emplace(all, by_element, processes);
  keep_own(kept_);
}

void Optimizer::keep_own(std::map<std::string, Kept>& kept) const {
  if (!shares_) return;
  const std::vector<NamedTensor> all = parameters();
  for (size_t i = 0; i < all.size(); ++i) {
    const auto found = kept.find(all[i].name);
    if (found == kept.end()) continue;
    for (Array& slot : found->second.slots) {
      if (!slot.defined()) continue;
      const NumberRange mine = shares_->mine(i, slot.size());
      if (mine == NumberRange{0, slot.size()}) continue;
      slot = mine.begin < mine.end ? slot.stretch(mine.begin, mine.end).copy() : Array();
    }
  }
}

void Optimizer::gather_weights() {
  if (DryRun::active()) return;
  std::vector<NamedTensor> all = parameters();
  for (const DType dtype : {float32, float64}) {
    std::vector<OptimizerShares::Item> items;
    for (size_t i = 0; i < all.size(); ++i) {
      Tensor& tensor = all[i].tensor;
      if (!tensor.grad().defined() || tensor.dtype() != dtype || tensor.size() == 0) continue;
      char* const values = static_cast<char*>(tensor.mutable_value().mutable_bytes());
      const auto begin = static_cast<size_t>(shares_->mine(i, tensor.size()).begin);
      items.push_back({i, tensor.size(), values + begin * size_of(dtype), values});
    }
    shares_->gather(items, size_of(dtype));
  }
}

std::vector<Array> Optimizer::whole_slot(size_t slot) const {
  const std::vector<NamedTensor> all = parameters();
  std::vector<Array> arrays(all.size());
  for (const DType dtype : {float32, float64}) {
    std::vector<OptimizerShares::Item> items;
    for (size_t i = 0; i < all.size(); ++i) {
      const NamedTensor& p = all[i];
      const std::optional<Shape> shape = slot_shapes(p)[slot];
      const auto found = kept_.find(p.name);
      if (!shape || found == kept_.end() || p.tensor.dtype() != dtype) continue;
      const Array& mine = found->second.slots[slot];
      if (!shares_) {
        arrays[i] = as_type(mine, dtype);
        continue;
      }
      if (shares_->is_first()) arrays[i] = Array(*shape, dtype);
      items.push_back(
          {i, shape->size(), mine.bytes(), arrays[i].defined() ? arrays[i].mutable_bytes() : nullptr});
    }
    if (shares_ && !DryRun::active()) shares_->gather(items, size_of(dtype));
  }
  return arrays;
}

void Optimizer::zero_grad() {
  for (ParameterGroup& group : groups_) {
    for (NamedTensor& p : group.parameters) p.tensor.zero_grad();
  }
}

bool Optimizer::has_slots(const NamedTensor& parameter) const {
  return std::ranges::any_of(slot_shapes(parameter), [](const auto& shape) { return shape.has_value(); });
}

int64_t Optimizer::state_bytes() const {
  size_t bytes = 0;
  for (const auto& [name, kept] : kept_)
    for (const Array& slot : kept.slots) bytes += slot.defined() ? slot.nbytes() : 0;
  return static_cast<int64_t>(bytes);
}

StateDict Optimizer::state_dict() const { return shared_state_dict().copy(); }

StateDict Optimizer::shared_state_dict() const {
  const std::vector<NamedTensor> all = parameters();
  StateDict state, counts;
  state.set("step", steps_);
  for (size_t slot = 0; slot < slot_names_.size(); ++slot) {
    const std::vector<Array> whole = whole_slot(slot);
    StateDict arrays;
    for (size_t i = 0; i < all.size(); ++i)
      if (whole[i].defined()) arrays.set(all[i].name, whole[i]);
    state.set(slot_names_[slot], std::move(arrays));
  }
  for (const NamedTensor& p : all) {
    const auto found = kept_.find(p.name);
    // Without arrays that tell of it, that it never began is said too.
    if (found == kept_.end() && has_slots(p)) continue;
    if (const int64_t steps = found != kept_.end() ? found->second.steps : 0; steps != steps_)
      counts.set(p.name, steps);
  }
  if (!counts.empty()) state.set("counts", counts);
  return state;
}

int64_t Optimizer::checked_steps(const StateDict& state) const {
  std::set<std::string> wanted(slot_names_.begin(), slot_names_.end());
  wanted.insert("step");
  std::vector<std::string> found = state.keys();
  std::erase(found, "counts");
  if (!std::ranges::equal(found, wanted))
    fail<StateError>("optimizer: the state has ", joined(found), ", not ", joined(wanted),
                     ", and so is of another optimizer than ", name());
  const int64_t steps = state.integer("step");
  if (steps < 0) fail<StateError>("optimizer: the state counts ", steps, " steps");
  if (!state.contains("counts")) return steps;
  const StateDict& counts = state.dict("counts");
  for (const std::string& parameter : counts.keys())
    if (const int64_t count = counts.integer(parameter); count < 0 || count > steps)
      fail<StateError>("optimizer: the state counts ", count, " steps of '", parameter,
                       "', which are not in [0, ", steps, "]");
  return steps;
}

void Optimizer::load_state_dict(const StateDict& state) {
  const int64_t steps = checked_steps(state);
  const std::vector<NamedTensor> all = parameters();
  std::map<std::string, Kept> loaded;
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
      std::vector<Array>& slots = loaded[name].slots;
      slots.resize(slot_names_.size());
      slots[i] = arrays.array(name).copy();
    }
  }
  const StateDict none, &counts = state.contains("counts") ? state.dict("counts") : none;
  std::vector<std::string> uncounted = counts.keys();
  for (const NamedTensor& p : all) {
    if (!has_slots(p))
      loaded[p.name].slots.resize(slot_names_.size());  // it has begun, unless "counts" says 0
    const auto found = loaded.find(p.name);
    if (found == loaded.end()) continue;
    const std::vector<std::optional<Shape>> shapes = slot_shapes(p);
    for (size_t i = 0; i < shapes.size(); ++i) {
      if (shapes[i] && !found->second.slots[i].defined())
        fail<StateError>("optimizer: the state of '", p.name, "' is not complete");
    }
    found->second.steps = counts.contains(p.name) ? counts.integer(p.name) : steps;
    found->second.shape = p.tensor.shape();
    std::erase(uncounted, p.name);
  }
  if (!uncounted.empty())
    fail<StateError>("optimizer: the state counts steps of what has no state: ", joined(uncounted));
  keep_own(loaded);
  kept_ = std::move(loaded);
  steps_ = steps;
}

LoadReport Optimizer::load_matching(const StateDict& state) {
  const int64_t steps = checked_steps(state);
  const StateDict none, &counts = state.contains("counts") ? state.dict("counts") : none;
  LoadReport report;
  std::map<std::string, Kept> loaded;
  std::set<std::string> known;
  for (const NamedTensor& p : parameters()) {
    known.insert(p.name);
    const std::vector<std::optional<Shape>> shapes = slot_shapes(p);
    Kept kept{.shape = p.tensor.shape(),
              .slots = std::vector<Array>(slot_names_.size()),
              .steps = counts.contains(p.name) ? counts.integer(p.name) : steps};
    bool any = !has_slots(p), whole = true;
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
      kept.slots[i] = theirs.copy();
    }
    if (whole && any)
      loaded.emplace(p.name, std::move(kept));
    else if (!any)
      report.missing.push_back(p.name);
  }
  for (const std::string& slot : slot_names_)
    for (const std::string& gone : state.dict(slot).keys())
      if (known.insert(gone).second) report.unexpected.push_back(gone);
  keep_own(loaded);
  kept_ = std::move(loaded);
  steps_ = steps;
  return report;
}

}  // namespace weft
