#include <weft/lib/base/error.h>
#include <weft/lib/processes/shards.h>

#include <algorithm>
#include <bit>
#include <numeric>

namespace weft {

NumberRange part_of(int64_t count, int64_t parts, int64_t part) {
  return {count * part / parts, count * (part + 1) / parts};
}

bool are_siblings(const Subtree& lower, const Subtree& upper) {
  return lower.width == upper.width && lower.begin + lower.width == upper.begin &&
         lower.begin % (2 * lower.width) == 0;
}

namespace {

struct BareNode {
  Subtree subtree;
};

/// The nodes that shards come to; `each` is told how many there are before what can be added is.
template <class Each>
std::vector<BareNode> nodes_of(const NumberRange& shards, const Each& each) {
  std::vector<BareNode> stack;
  for (int64_t shard = shards.begin; shard < shards.end; ++shard) {
    each(std::ssize(stack) + 1);
    push_node(stack, BareNode{{shard, 1}}, [](BareNode&, const BareNode&) {});
  }
  return stack;
}

}  // namespace

std::vector<Subtree> subtrees_of(const NumberRange& shards) {
  std::vector<Subtree> all;
  for (const BareNode& node : nodes_of(shards, [](int64_t) {})) all.push_back(node.subtree);
  return all;
}

int64_t most_partial_sums(const NumberRange& shards) {
  int64_t most = 0;
  nodes_of(shards, [&](int64_t held) { most = std::max(most, held); });
  return most;
}

void check_shards(int64_t shards) {
  if (shards < 1 || !std::has_single_bit(static_cast<uint64_t>(shards)))
    fail<ValueError>("reduction_shards = ", shards, " is not a power of two");
}

std::vector<UpdatePiece> pieces_of(int64_t first, const std::vector<int64_t>& batches,
                                   const UpdateShare& share) {
  const int64_t samples = std::accumulate(batches.begin(), batches.end(), int64_t{0});
  std::vector<UpdatePiece> all;
  for (int64_t shard = share.mine.begin; shard < share.mine.end; ++shard) {
    const NumberRange wanted = part_of(samples, share.shards, shard);
    int64_t batch = 0;
    for (const int64_t count : batches) {
      const int64_t begin = std::max(batch, wanted.begin), end = std::min(batch + count, wanted.end);
      if (begin < end)
        all.push_back({.first = first + begin,
                       .count = end - begin,
                       .offset = begin,
                       .shard = shard,
                       .ends_shard = end == wanted.end});
      batch += count;
    }
  }
  if (!all.empty()) all.back().is_last = true;
  return all;
}

}  // namespace weft
