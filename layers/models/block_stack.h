// Blocks in a row.
#pragma once

#include <weft/autograd/recompute.h>

#include <functional>
#include <vector>

namespace weft {

/// x through each block, with the same further inputs (masks, memory); `recomputed` as
/// Model::recompute_blocks says.
template <class Block, class... Inputs>
Tensor through(const std::vector<Block*>& blocks, Tensor x, bool recomputed, const Inputs&... inputs) {
  for (const Block* block : blocks)
    x = recomputed ? recompute(std::cref(*block), x, inputs...) : block->forward(x, inputs...);
  return x;
}

}  // namespace weft
