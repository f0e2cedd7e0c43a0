// SentencePiece's compiled table of replacements ("precompiled_charsmap"): a double-array trie of the sequences that are
// replaced, and what becomes of each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

class CharacterMap {
 public:
  CharacterMap() = default;
  /// ValueError for bytes that are no such table; none are the table that replaces nothing.
  explicit CharacterMap(std::string_view bytes);

  bool empty() const { return units_.empty(); }
  struct Found {
    size_t length;  ///< bytes of the sequence
    std::string_view by;
  };
  /// The longest sequence that a text begins with, or the shortest.
  std::optional<Found> longest(std::string_view text) const { return find(text, true); }
  std::optional<Found> shortest(std::string_view text) const { return find(text, false); }

 private:
  std::optional<Found> find(std::string_view text, bool longest) const;

  std::vector<uint32_t> units_;
  std::string replacements_;  ///< each ends with a zero
};

/// Bytes as text of 64 characters (RFC 4648), and back; ValueError for what is none.
std::string to_base64(std::string_view bytes);
std::string from_base64(std::string_view text);

}  // namespace weft
