#include <cxxabi.h>
#include <weft/autograd/claims.h>
#include <weft/layers/module.h>
#include <weft/lib/array/random.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <typeinfo>

namespace weft {

constinit thread_local const Module* Module::Calling::current_ = nullptr;
constinit thread_local Module::Construction* Module::Construction::current_ = nullptr;

Module::Module() {
  static std::atomic<uint64_t> counter{0};
  number_ = ++counter;
  if (Construction::current_ != nullptr) Construction::current_->modules_.push_back(this);
}

Module::~Module() {
  for (Construction* c = Construction::current_; c != nullptr; c = c->before_) std::erase(c->modules_, this);
}

Module::Construction::Construction() : before_(std::exchange(current_, this)) {}
Module::Construction::~Construction() { current_ = before_; }

void Module::Construction::check(const Module& made) const {
  for (const Module* module : modules_) {
    if (module == &made || module->parent_ != nullptr) continue;
    std::vector<NamedTensor> all;
    module->walk("", [&](const Module& below, const std::string&) {
      all.insert(all.end(), below.parameters_.begin(), below.parameters_.end());
    });
    const auto frozen = [](const NamedTensor& p) { return !p.tensor.requires_grad(); };
    if (!all.empty() && std::ranges::all_of(all, frozen)) continue;
    fail<StateError>(made.type(), ": holds a ", module->type(),
                     " that is no child of it, and would neither be trained nor saved: write child<",
                     module->type(), ">(\"name\", ...) in its constructor, or ModuleList for several");
  }
}

template <class Visit>
void Module::walk(const std::string& prefix, const Visit& visit) const {
  visit(*this, prefix);
  for (const auto& [name, module] : children_) module->walk(prefix + name + ".", visit);
}

std::vector<NamedTensor> Module::parameters() const {
  asked_ = true;
  // Who asks for a part knows the whole, and leaves the rest as it is on purpose.
  const Module* root = this;
  while (root->parent_ != nullptr) root = root->parent_;
  root->walk("", [](const Module& module, const std::string&) {
    for (const auto& [name, tensor] : module.parameters_) claim(tensor);
  });
  std::vector<NamedTensor> all;
  walk("", [&](const Module& module, const std::string& prefix) {
    for (const auto& [name, tensor] : module.parameters_) all.push_back({prefix + name, tensor});
  });
  return all;
}

std::vector<NamedTensor> Module::buffers() const {
  std::vector<NamedTensor> all;
  walk("", [&](const Module& module, const std::string& prefix) {
    for (const auto& [name, buffer] : module.buffers_) all.push_back({prefix + name, buffer.tensor()});
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
  for (auto& [name, tensor] : parameters()) {
    tensor.set_requires_grad(!frozen);
    if (frozen) tensor.zero_grad();
  }
}

void Module::zero_grad() {
  for (auto& [name, tensor] : parameters()) tensor.zero_grad();
}

void Module::to(DType dtype) {
  if (dtype != float32 && dtype != float64) fail<TypeError>("to: needs float32 or float64, not ", dtype);
  for (auto& [name, tensor] : parameters()) tensor.set_value(tensor.value().to(dtype));
  for (auto& [name, tensor] : buffers()) {
    if (is_floating(tensor.dtype())) tensor.set_value(tensor.value().to(dtype));
  }
}

std::map<std::string, Array> Module::arrays() const {
  std::map<std::string, Array> arrays;
  for (const auto& [name, tensor] : parameters()) arrays.emplace(name, tensor.value());
  for (const auto& [name, tensor] : buffers()) arrays.emplace(name, tensor.value());
  return arrays;
}

StateDict Module::state_dict() const { return shared_state_dict().copy(); }

StateDict Module::shared_state_dict() const {
  StateDict state;
  for (const auto& [name, array] : arrays()) state.set(name, array);
  return state;
}

void Module::load_state_dict(const StateDict& state) {
  std::map<std::string, Array> arrays = this->arrays();
  const LoadReport report = compare_arrays(arrays, state);
  if (!report.ok()) fail<StateError>("load_state_dict: the state does not fit the model\n", report.message());
  for (auto& [name, array] : arrays) array.copy_from(state.array(name));
}

LoadReport Module::load_matching(const StateDict& state) {
  std::map<std::string, Array> arrays = this->arrays();
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

std::string Module::type() const {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(typeid(*this).name(), nullptr, nullptr, &status), std::free);
  const std::string whole = status == 0 ? name.get() : typeid(*this).name();
  return whole.starts_with("weft::") ? whole.substr(6) : whole;
}

void Module::check_known_to(const Module& caller) const {
  const Module* root = &caller;
  while (root->parent_ != nullptr) root = root->parent_;
  // Whoever asked for these parameters trains them himself, and what was there before the caller was is not
  // its own.
  if (root == this || !root->asked_ || asked_ || number_ < root->number_ || !grad_enabled()) return;
  bool trained = false;
  walk("", [&](const Module& module, const std::string&) {
    for (const NamedTensor& p : module.parameters_) trained = trained || p.tensor.requires_grad();
  });
  if (trained)
    fail<StateError>(caller.type(), ": calls a ", type(),
                     " that is no child of it, and would neither be trained nor saved: write child<", type(),
                     ">(\"name\", ...) in its constructor, or ModuleList for several");
}

void Module::check_name(const std::string& name) const {
  bool taken = false;
  for (const auto& [other, tensor] : parameters_) taken = taken || other == name;
  for (const auto& [other, buffer] : buffers_) taken = taken || other == name;
  for (const auto& [other, module] : children_) taken = taken || other == name;
  if (taken) fail<ValueError>("module: the name '", name, "' is registered twice");
  if (name.empty() || name.find('/') != std::string::npos)
    fail<ValueError>("module: '", name, "' is no name: it is empty or holds '/'");
}

Parameter Module::parameter(const std::string& name, const Shape& shape, const Init& init) {
  check_name(name);
  const bool draws = init.random && !NoInit::active();
  const RandomKey key = draws ? RandomScope::next("parameter", name).key : RandomKey{};
  Tensor made(NoInit::active() ? Array::zeros(shape) : init.make(shape, key), true);
  declare_parameter(made, str("the parameter '", name, "' of a ", type()));
  parameters_.push_back({name, made});
  return Parameter(std::move(made));
}

BufferTensor Module::buffer(const std::string& name, Array value) {
  check_name(name);
  return buffers_.emplace_back(name, BufferTensor(Tensor(std::move(value)))).second;
}

void Module::adopt(const std::string& name, std::unique_ptr<Module> made) {
  check_name(name);
  made->parent_ = this;
  made->name_ = name;
  made->train(training_);
  children_.emplace_back(name, std::move(made));
}

}  // namespace weft
