// Blocks in a row: x (B, T, C) -> (B, T, C), or whatever shape each of them keeps.
#pragma once

#include <weft/autograd/recompute.h>
#include <weft/layers/containers.h>

#include <cstdint>
#include <functional>
#include <utility>

namespace weft {

/// x through the first `count` blocks, with the same further inputs (masks, memory); `recomputed` as
/// Model::recompute_blocks says.
template <class Block, class... Inputs>
Tensor through_first(int64_t count, const ModuleList<Block>& blocks, Tensor x, bool recomputed,
                     const Inputs&... inputs) {
  for (const Block& block : blocks) {
    if (count-- == 0) break;
    x = recomputed ? recompute(std::cref(block), x, inputs...) : block(x, inputs...);
  }
  return x;
}

/// Through all of them.
template <class Block, class... Inputs>
Tensor through(const ModuleList<Block>& blocks, Tensor x, bool recomputed, const Inputs&... inputs) {
  return through_first(static_cast<int64_t>(blocks.size()), blocks, std::move(x), recomputed, inputs...);
}

}  // namespace weft
