// What registering a hook gives back.
#pragma once

#include <functional>
#include <utility>

namespace weft {

/// remove() takes the hook away; without it the hook stays as long as what it hooks. Copies are the same
/// handle to the same hook.
class RemovableHandle {
 public:
  RemovableHandle() = default;
  explicit RemovableHandle(std::function<void()> remove) : remove_(std::move(remove)) {}
  /// Again, or when what it hooked is gone, it does nothing.
  void remove() const {
    if (remove_) remove_();
  }

 private:
  std::function<void()> remove_;
};

}  // namespace weft
