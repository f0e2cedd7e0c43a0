#include <weft/layers/module.h>
#include <weft/lib/array/random.h>

#include <functional>

namespace weft {

template <class Visit>
void Module::walk(const std::string& prefix, const Visit& visit) const {
  visit(*this, prefix);
  for (const auto& [name, module] : children_) module->walk(prefix + name + ".", visit);
}

std::vector<NamedTensor> Module::parameters() const {
  std::vector<NamedTensor> all;
  walk("", [&](const Module& module, const std::string& prefix) {
    for (const auto& [name, tensor] : module.parameters_) all.push_back({prefix + name, tensor});
  });
  return all;
}

std::vector<NamedTensor> Module::buffers() const {
  std::vector<NamedTensor> all;
  walk("", [&](const Module& module, const std::string& prefix) {
    for (const auto& [name, tensor] : module.buffers_) all.push_back({prefix + name, tensor});
  });
  return all;
}

int64_t Module::parameter_count(bool frozen) const {
  int64_t count = 0;
  for (const auto& [name, tensor] : parameters())
    count += frozen || tensor.requires_grad() ? tensor.size() : 0;
  return count;
}

Module& Module::at(const std::string& path) {
  if (path.empty()) return *this;
  std::string names;
  for (const auto& [name, module] : children_) {
    if (path == name) return *module;
    if (path.starts_with(name + ".")) return module->at(path.substr(name.size() + 1));
    names += (names.empty() ? "" : ", ") + name;
  }
  fail<ValueError>("module '", this->path(), "' has nothing at '", path,
                   "'; below it are: ", names.empty() ? "none" : names);
}

void Module::train(bool on) {
  training_ = on;
  for (const auto& [name, module] : children_) module->train(on);
}

void Module::freeze(bool frozen) {
  for (auto& [name, tensor] : parameters()) tensor.set_requires_grad(!frozen);
}

void Module::zero_grad() {
  for (auto& [name, tensor] : parameters()) tensor.zero_grad();
}

void Module::to(DType dtype) {
  if (!is_floating(dtype)) fail<TypeError>("to: needs float32 or float64, not ", dtype);
  for (auto& [name, tensor] : parameters()) tensor.set_value(tensor.value().to(dtype));
  for (auto& [name, tensor] : buffers()) {
    if (is_floating(tensor.dtype())) tensor.set_value(tensor.value().to(dtype));
  }
}

namespace {

std::map<std::string, Array> arrays_of(const Module& module) {
  std::map<std::string, Array> arrays;
  for (const auto& [name, tensor] : module.parameters()) arrays.emplace(name, tensor.value());
  for (const auto& [name, tensor] : module.buffers()) arrays.emplace(name, tensor.value());
  return arrays;
}

}  // namespace

StateDict Module::state_dict() const {
  StateDict state;
  for (const auto& [name, array] : arrays_of(*this)) state.set(name, array);
  return state;
}

void Module::load_state_dict(const StateDict& state) {
  std::map<std::string, Array> arrays = arrays_of(*this);
  const LoadReport report = compare_arrays(arrays, state);
  if (!report.ok()) fail<StateError>("load_state_dict: the state does not fit the model\n", report.message());
  for (auto& [name, array] : arrays) array.copy_from(state.array(name));
}

LoadReport Module::load_matching(const StateDict& state) {
  std::map<std::string, Array> arrays = arrays_of(*this);
  LoadReport report = compare_arrays(arrays, state);
  for (auto& [name, array] : arrays) {
    if (!state.contains(name)) continue;
    const Array* const found = std::get_if<Array>(&state.entries().at(name));
    if (found && found->shape() == array.shape() && found->dtype() == array.dtype()) array.copy_from(*found);
  }
  return report;
}

std::string Module::path() const {
  if (parent_ == nullptr) return name_;
  const std::string above = parent_->path();
  return above.empty() ? name_ : above + "." + name_;
}

void Module::check_name(const std::string& name) const {
  bool taken = false;
  for (const auto& [other, tensor] : parameters_) taken = taken || other == name;
  for (const auto& [other, tensor] : buffers_) taken = taken || other == name;
  for (const auto& [other, module] : children_) taken = taken || other == name;
  if (taken) fail<ValueError>("module: the name '", name, "' is registered twice");
  if (name.empty() || name.find('/') != std::string::npos)
    fail<ValueError>("module: '", name, "' is no name: it is empty or holds '/'");
}

Tensor Module::parameter(const std::string& name, const Shape& shape, const Init& init) {
  check_name(name);
  const bool draws = init.random && !NoInit::active();
  const RandomKey key = draws ? RandomScope::next("parameter", name).key : RandomKey{};
  Tensor made(NoInit::active() ? Array::zeros(shape) : init.make(shape, key), true);
  parameters_.push_back({name, made});
  return made;
}

Tensor Module::buffer(const std::string& name, Array value) {
  check_name(name);
  Tensor made(std::move(value));
  buffers_.push_back({name, made});
  return made;
}

void Module::adopt(const std::string& name, std::unique_ptr<Module> made) {
  check_name(name);
  made->parent_ = this;
  made->name_ = name;
  made->train(training_);
  children_.emplace_back(name, std::move(made));
}

}  // namespace weft
