// Blocks in a row: x (B, T, C) -> (B, T, C), or whatever shape each of them keeps.
#pragma once

#include <weft/autograd/recompute.h>
#include <weft/layers/containers.h>

#include <functional>

namespace weft {

/// x through each block, with the same further inputs (masks, memory); `recomputed` as
/// Model::recompute_blocks says.
template <class Block, class... Inputs>
Tensor through(const ModuleList<Block>& blocks, Tensor x, bool recomputed, const Inputs&... inputs) {
  for (const Block& block : blocks)
    x = recomputed ? recompute(std::cref(block), x, inputs...) : block(x, inputs...);
  return x;
}

}  // namespace weft
