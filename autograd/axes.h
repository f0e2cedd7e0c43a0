// A list of axes, as reductions and permutations take it.
#pragma once

#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

namespace weft {

/// From braces or a vector: sum(x, {0, -1}).
class Axes {
 public:
  Axes(std::initializer_list<int> axes) : axes_(axes) {}
  Axes(std::vector<int> axes) : axes_(std::move(axes)) {}
  operator std::span<const int>() const { return axes_; }

 private:
  std::vector<int> axes_;
};

}  // namespace weft
