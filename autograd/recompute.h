// Recomputation: memory for time (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost";
// PyTorch's torch.utils.checkpoint).
#pragma once

#include <weft/autograd/tensor.h>

#include <functional>
#include <type_traits>
#include <utility>

namespace weft {

namespace detail {
Tensor recompute(std::function<Tensor()> block);
}

/// block(inputs...), keeping the inputs alone of what its gradient needs: backward computes the block once
/// more, recorded, and goes on through that graph. Value and gradients have the bits they have without,
/// dropout included, and so have gradients of gradients.
///   x = recompute([&layer](const Tensor& t) { return layer(t); }, x);
/// The block must be a function of its inputs, of parameters and of the RandomScope, which is remembered and
/// may have ended. It and what it refers to must outlive backward. It may use tensors of the graph beside its
/// inputs, recompute parts of its own, and take inputs of any type. Gradients flow through what it returns
/// alone; it cannot itself ask for one, or hook one, of what it computes.
///
/// StateError in backward when the block gives other bits the second time, or when a parameter that it used
/// was changed in place meanwhile.
template <class Block, class... Inputs>
requires std::is_invocable_r_v<Tensor, const Block&, const Inputs&...> Tensor recompute(Block block,
                                                                                        Inputs... inputs) {
  return detail::recompute(
      [block = std::move(block), ... inputs = std::move(inputs)] { return std::invoke(block, inputs...); });
}

}  // namespace weft
