// Forward hooks: functions that see, and may replace, what goes into a layer and what comes out of it
// (Module::register_forward_hook).
#pragma once

#include <weft/autograd/tensor.h>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace weft {

class Module;

/// Called before a layer's forward() with the tensors it was given, arrays of ids among them; what it
/// returns, unless empty, replaces them, one for one.
using ForwardPreHook = std::function<std::vector<Tensor>(const Module&, const std::vector<Tensor>& inputs)>;
/// Called after a layer's forward() with its result, or the `y` of its result; what it returns, if defined,
/// replaces it.
using ForwardHook =
    std::function<Tensor(const Module&, const std::vector<Tensor>& inputs, const Tensor& output)>;

/// The hook, which may return nothing.
template <class Hook>
ForwardPreHook as_forward_pre_hook(Hook hook) {
  if constexpr (std::is_void_v<std::invoke_result_t<Hook&, const Module&, const std::vector<Tensor>&>>) {
    return [hook = std::move(hook)](const Module& module, const std::vector<Tensor>& inputs) mutable {
      hook(module, inputs);
      return std::vector<Tensor>();
    };
  } else {
    return hook;
  }
}
template <class Hook>
ForwardHook as_forward_hook(Hook hook) {
  if constexpr (std::is_void_v<
                    std::invoke_result_t<Hook&, const Module&, const std::vector<Tensor>&, const Tensor&>>) {
    return [hook = std::move(hook)](const Module& module, const std::vector<Tensor>& inputs,
                                    const Tensor& output) mutable {
      hook(module, inputs, output);
      return Tensor();
    };
  } else {
    return hook;
  }
}

/// Those of one module. `type` names it in errors.
class ForwardHooks {
 public:
  RemovableHandle add(ForwardPreHook hook);
  RemovableHandle add(ForwardHook hook);
  bool any() const { return hooks_ != nullptr; }
  /// ValueError when a hook gives another number of inputs.
  void before(const Module& module, const std::string& type, std::vector<Tensor>& inputs) const;
  void after(const Module& module, const std::vector<Tensor>& inputs, Tensor& output) const;
  /// StateError when there are hooks that would see a result.
  void refuse_result(const std::string& type) const;

 private:
  struct Hooks {
    std::map<size_t, ForwardPreHook> before;
    std::map<size_t, ForwardHook> after;
    size_t next = 0;
  };
  std::shared_ptr<Hooks> hooks_;  // null while there was none
};

}  // namespace weft
