// Byte-pair encoding as SentencePiece has it: of all neighbours that make a piece, those that make the one of the highest
// score, the leftmost first, become it, until none do.
#pragma once

#include <weft/data/tokenizers/token_model.h>
#include <weft/data/tokenizers/token_trie.h>

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace weft {

class ScoreBpe {
 public:
  struct Piece {
    std::string_view text;
    int32_t id;
    float score;
    bool unused = false;  ///< merged on the way, but taken apart again in the end
    bool whole = false;   ///< found before anything is merged, and merged with nothing
  };
  explicit ScoreBpe(const std::vector<Piece>& pieces);

  /// A character that is no piece has the id -1.
  void append(std::string_view text, std::vector<PlacedToken>& to) const;

 private:
  struct Symbol {
    size_t begin, end;
    int32_t before, next;
    bool whole;
  };
  struct Found {
    float score;
    bool unused;
  };
  std::vector<Symbol> symbols_of(std::string_view text) const;
  void append_part(std::string_view text, size_t first, std::vector<PlacedToken>& to) const;

  TokenTrie trie_, whole_;
  std::vector<Found> found_;  ///< by id
  bool crosses_ = false;      ///< some piece goes on behind a word, with the mark of a space within it
};

}  // namespace weft
