// Byte-pair encoding of one word (Sennrich, Haddow and Birch 2016, section 3.2): of all neighbours that have a merge,
// those of the least rank, the leftmost first, become one token, until none has.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace weft {

struct BpeMerge {
  int32_t left, right;  ///< ids
  int32_t result;
  bool operator==(const BpeMerge&) const = default;
};

/// Both ids in one number.
inline uint64_t pair_of(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

class BpeMerges {
 public:
  /// In the order of their ranks. ValueError for a pair that comes twice, or an id below 0.
  explicit BpeMerges(std::span<const BpeMerge> merges);

  /// Merges the tokens of a word in place. Its time grows as n log n for words of any length n.
  void apply(std::vector<int32_t>& word) const;

  struct Found {
    int32_t rank = -1;  ///< -1 for no merge
    int32_t result = 0;
  };
  Found find(int32_t left, int32_t right) const;

 private:
  struct Slot {
    uint64_t pair = UINT64_MAX;
    Found found;
  };
  void apply_to_short(std::vector<int32_t>& word) const;
  void apply_to_long(std::vector<int32_t>& word) const;

  std::vector<Slot> slots_;  ///< open addressing, a power of two
};

}  // namespace weft
