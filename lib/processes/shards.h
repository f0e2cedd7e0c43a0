// Shards: how an update is cut so that any number of processes computes the same bits. Its samples are cut into S shards,
// S a power of two, contiguous and by their number; within a shard sums go on in the order of the samples, and shards are
// added by one fixed binary tree: 0 and 1, 2 and 3, ..., then what these give. A process computes whole shards, and adds
// those whose sums the tree wants; which process does what changes no sum. For S = 4 on three processes:
//
//        +            shards    0 | 1 | 2 3
//     +     +         process   0 | 1 |  2
//    0 1   2 3        subtrees  0 | 1 | 2+3
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace weft {

/// [begin, end), of samples or shards.
struct NumberRange {
  int64_t begin = 0, end = 0;
  bool operator==(const NumberRange&) const = default;
};
/// Part number `part` of `parts` of 0 .. count - 1: [count part / parts, count (part + 1) / parts).
NumberRange part_of(int64_t count, int64_t parts, int64_t part);

/// A node of the tree: the shards begin .. begin + width - 1, where width is a power of two that divides begin.
struct Subtree {
  int64_t begin = 0, width = 1;
  bool operator==(const Subtree&) const = default;
};
/// Whether the two are added by the tree, `lower` first.
bool are_siblings(const Subtree& lower, const Subtree& upper);
/// Puts a node - anything with a `subtree` - behind those of the stack, and adds what the tree adds: add(lower, upper) does it
/// to `lower`, whose subtree is that of both by then. Given the shards in order, the stack holds the fewest nodes there are.
template <class Node, class Add>
void push_node(std::vector<Node>& stack, Node node, const Add& add) {
  stack.push_back(std::move(node));
  while (stack.size() > 1 && are_siblings(stack[stack.size() - 2].subtree, stack.back().subtree)) {
    Node upper = std::move(stack.back());
    stack.pop_back();
    stack.back().subtree.width *= 2;
    add(stack.back(), upper);
  }
}
/// The fewest subtrees that these shards are, ascending.
std::vector<Subtree> subtrees_of(const NumberRange& shards);

/// How many sums are held at once, at most, while these shards are computed one after the other.
int64_t most_partial_sums(const NumberRange& shards);

/// ValueError, naming `reduction_shards`, unless it is a power of two.
void check_shards(int64_t shards);

/// What is read at once: samples of one shard and of one micro-batch.
struct UpdatePiece {
  int64_t first = 0;        ///< sample of the run
  int64_t count = 0;        ///< samples
  int64_t offset = 0;       ///< of the first, in the update
  int64_t shard = 0;        ///< which they belong to
  bool ends_shard = false;  ///< whether its samples end here
  bool is_last = false;     ///< of those that this process computes
  bool operator==(const UpdatePiece&) const = default;
};

/// How updates are shared out.
struct UpdateShare {
  int64_t batches = 1;                        ///< micro-batches of an update, of all processes together
  int64_t shards = 1;                         ///< of an update
  NumberRange mine = {.begin = 0, .end = 1};  ///< the shards that are computed here
};
/// The pieces of an update that begins with sample `first` of the run and has micro-batches of these sizes; none of a
/// shard that has no sample.
std::vector<UpdatePiece> pieces_of(int64_t first, const std::vector<int64_t>& batches,
                                   const UpdateShare& share);

}  // namespace weft
