// From one vocabulary to another: what a model has learned of a token goes with the token.
//
//   const VocabularyChange change(*old_tokenizer, *tokenizer);
//   table = change.applied(old_table, 0, VocabularyChange::Fresh::mean);   // (V before, C) -> (V now, C)
#pragma once

#include <weft/data/text/tokenizer.h>
#include <weft/lib/array/array.h>

#include <cstdint>
#include <vector>

namespace weft {

/// A token is what its id is written as (Tokenizer::decode); of several ids that are written alike, the first is the
/// first, and so on.
class VocabularyChange {
 public:
  VocabularyChange(const Tokenizer& before, const Tokenizer& now);

  /// Of each id now, the id it was; -1 for a new token.
  const std::vector<int64_t>& from() const { return from_; }
  /// How many tokens there were before, are now, and are the same.
  int64_t before() const { return before_; }
  int64_t now() const { return static_cast<int64_t>(from_.size()); }
  int64_t kept() const { return kept_; }
  /// Whether every id is of the token it was of, so that nothing changes.
  bool none() const;

  /// What a new token has: the mean of those that were kept, in double, or zeros.
  enum class Fresh { mean, zero };
  /// `array` with an entry along `axis` for each id now, which is that of the same token before, bit for bit.
  /// ShapeError unless there are before() of them; TypeError unless floating; ValueError for a mean of no token.
  Array applied(const Array& array, int axis, Fresh fresh) const;

 private:
  std::vector<int64_t> from_;
  int64_t before_ = 0, kept_ = 0;
};

}  // namespace weft
