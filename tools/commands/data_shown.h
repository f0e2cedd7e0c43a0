// What text and JSON of `weft data inspect` agree on.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weft::tools {

constexpr size_t most_labels = 50, most_frequent = 20;

/// The lengths that are counted together (Lengths::buckets).
constexpr int64_t shortest_of(size_t bucket) { return bucket == 0 ? 0 : int64_t{1} << (bucket - 1); }
constexpr int64_t longest_of(size_t bucket) {
  return bucket == 0 ? 0 : static_cast<int64_t>((uint64_t{1} << bucket) - 1);
}

}  // namespace weft::tools
