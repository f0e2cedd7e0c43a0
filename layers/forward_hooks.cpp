#include <weft/layers/forward_hooks.h>
#include <weft/layers/output_observer.h>
#include <weft/lib/base/error.h>

#include <algorithm>

namespace weft {

RemovableHandle ForwardHooks::add(ForwardPreHook hook) {
  if (!hooks_) hooks_ = std::make_shared<Hooks>();
  const size_t number = hooks_->next++;
  hooks_->before.emplace(number, std::move(hook));
  return RemovableHandle([hooks = std::weak_ptr(hooks_), number] {
    if (const auto alive = hooks.lock()) alive->before.erase(number);
  });
}

RemovableHandle ForwardHooks::add(ForwardHook hook) {
  if (!hooks_) hooks_ = std::make_shared<Hooks>();
  const size_t number = hooks_->next++;
  hooks_->after.emplace(number, std::move(hook));
  return RemovableHandle([hooks = std::weak_ptr(hooks_), number] {
    if (const auto alive = hooks.lock()) alive->after.erase(number);
  });
}

void ForwardHooks::before(const Module& module, const std::string& type, std::vector<Tensor>& inputs) const {
  const auto hooks = hooks_->before;  // one may remove itself
  for (const auto& [number, hook] : hooks) {
    std::vector<Tensor> replaced = hook(module, inputs);
    if (replaced.empty()) continue;
    if (replaced.size() != inputs.size())
      fail<ValueError>(type, ": a forward pre-hook replaced ", inputs.size(), " inputs by ", replaced.size());
    inputs = std::move(replaced);
  }
}

void ForwardHooks::after(const Module& module, const std::vector<Tensor>& inputs, Tensor& output) const {
  const auto hooks = hooks_->after;
  for (const auto& [number, hook] : hooks) {
    const Tensor replaced = hook(module, inputs, output);
    if (replaced.defined()) output = replaced;
  }
}

void ForwardHooks::refuse_result(const std::string& type) const {
  const auto must_see = [](const auto& hook) {
    return hook.second.template target<OutputObserver>() == nullptr;
  };
  if (std::ranges::any_of(hooks_->after, must_see))
    fail<StateError>(type, ": a forward hook sees a tensor, or the y of a result; this layer gives neither");
}

}  // namespace weft
