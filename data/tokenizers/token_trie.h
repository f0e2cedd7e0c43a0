// Which tokens a text begins with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace weft {

class TokenTrie {
 public:
  TokenTrie();

  /// A key that comes again has the last value. Values are not below 0.
  void add(std::string_view key, int32_t value);

  static constexpr int32_t root = 0, none = -1;
  /// One byte further; none where no key goes on so.
  int32_t next(int32_t node, char byte) const;
  /// Of the key that ends here; none.
  int32_t value(int32_t node) const { return values_[static_cast<size_t>(node)]; }

  struct Found {
    size_t length = 0;
    int32_t value = none;
  };
  /// Of the longest key that the text begins with.
  Found longest(std::string_view text) const;
  /// Of the text as a whole.
  int32_t find(std::string_view text) const;

 private:
  struct Slot {
    uint64_t key = UINT64_MAX;  ///< node and byte
    int32_t node = none;
  };
  size_t slot_of(uint64_t key) const;
  void grow();

  std::vector<Slot> slots_;  ///< open addressing, a power of two
  std::vector<int32_t> values_;
};

}  // namespace weft
