// Of all ways to write a text as tokens the likeliest (Kudo 2018): the sum of the tokens' logarithms of probability is
// largest, by dynamic programming from left to right.
#pragma once

#include <weft/data/tokenizers/token_model.h>
#include <weft/data/tokenizers/token_trie.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

class Unigram {
 public:
  enum class Use : uint8_t { no, normal, always };  ///< always: of a token that wins wherever it is written
  struct Options {
    /// Sums are rounded to float after each token, as in SentencePiece; in Hugging Face's they are doubles.
    bool float_sums = false;
    std::vector<Use> use = {};  ///< by id; empty: all are normal
  };
  /// ValueError for another number of scores, or one that is not finite.
  Unigram(const std::vector<std::string>& tokens, std::vector<double> scores, Options options);

  /// A character that is in no token has the id -1, and costs 10 more than the worst token.
  void append(std::string_view text, std::vector<PlacedToken>& to) const;

 private:
  TokenTrie trie_;
  std::vector<double> scores_;
  Options options_;
  double unknown_ = 0, best_ = 0;
};

}  // namespace weft
