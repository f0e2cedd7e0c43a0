// Tokens that are found in a text before it is cut into words: special ones, and whatever else was added to a vocabulary.
#pragma once

#include <weft/data/text/tokenizer.h>
#include <weft/data/tokenizers/token_trie.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

struct AddedToken {
  int64_t id = 0;
  std::string content = {};
  bool special = false;                 ///< made only by a program
  bool normalized = false;              ///< looked for in the text that normalizers made
  bool single_word = false;             ///< not within a word
  bool lstrip = false, rstrip = false;  ///< with the spaces before, and behind
  bool operator==(const AddedToken&) const = default;
};

class AddedTokens {
 public:
  AddedTokens() = default;
  explicit AddedTokens(std::vector<AddedToken> tokens);

  struct Part {
    Encoding::Span span;
    int64_t id;  ///< -1: text between
  };
  /// The text in parts; where several tokens begin at one place it is the longest.
  std::vector<Part> parts_of(std::string_view text) const;

 private:
  std::vector<AddedToken> tokens_;
  TokenTrie trie_;
};

}  // namespace weft
