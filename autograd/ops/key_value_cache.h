// Keys and values of the tokens that rows have read, for decoding.
#pragma once

#include <weft/lib/array/array.h>

#include <cstdint>
#include <span>
#include <vector>

namespace weft {

/// Rows may have read different numbers of tokens; each row's tokens stand from place 0 on. C is the width of
/// keys, G D. Room grows by doubling.
class KeyValueCache {
 public:
  /// Adds to each row b the first lengths[b] of its tokens in k and v (B, T, C), those after being padding
  /// that is not kept; empty: all T. ShapeError when B, C or the type differ from what is there, or the
  /// lengths are not B numbers from 0 to T; nothing is changed then.
  void append(const Array& k, const Array& v, std::span<const int64_t> lengths = {});
  /// Row i becomes what row rows[i] was. ValueError for a row that is not there. Where no row is asked for that gives its
  /// place to another, only those that change their place are copied.
  void select(std::span<const int64_t> rows);
  /// The rows of `other` stand behind these from now on; they alone are copied while there is room for them. ShapeError
  /// when C or the type differ; nothing is changed then.
  void join(const KeyValueCache& other);
  void clear();

  /// Tokens that each row holds; empty before the first append.
  const std::vector<int64_t>& lengths() const { return lengths_; }
  /// Tokens that the longest row holds.
  int64_t length() const { return longest_; }
  /// Whether all rows hold as many.
  bool same_length() const { return same_length_; }
  /// (R, room, C) with R at least B, of which the first lengths()[b] tokens of row b count.
  const Array& keys() const { return keys_; }
  const Array& values() const { return values_; }

 private:
  void check(const Array& k, const Array& v, std::span<const int64_t> lengths) const;
  int64_t rows() const { return static_cast<int64_t>(lengths_.size()); }
  void make_room(int64_t most_rows, int64_t tokens, int64_t width, DType dtype);
  void measure();

  Array keys_, values_;
  std::vector<int64_t> lengths_;
  int64_t longest_ = 0;
  bool same_length_ = true;
};

}  // namespace weft
