// The models of Hugging Face's tokenizers: what tokens a word becomes. BPE, Unigram, WordPiece and WordLevel.
#pragma once

#include <weft/data/text/bpe_merges.h>
#include <weft/data/tokenizers/step.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// A token and the bytes of the word that it stands for; the id -1: there is none for them.
struct PlacedToken {
  int32_t id;
  size_t begin, end;
};

class TokenModel {
 public:
  virtual ~TokenModel() = default;
  /// `word` is UTF-8.
  virtual void append(std::string_view word, std::vector<PlacedToken>& to) const = 0;
};

struct TokenModelParts {
  /// BPE: unk_token, fuse_unk, byte_fallback, ignore_merges, continuing_subword_prefix, end_of_word_suffix; WordPiece:
  /// unk_token, continuing_subword_prefix, max_input_chars_per_word; WordLevel: unk_token; Unigram: unk_id, byte_fallback.
  TokenizerStep settings;
  std::vector<std::string> tokens;  ///< by id
  std::vector<BpeMerge> merges;     ///< of BPE
  std::vector<double> scores;       ///< of Unigram
};

/// `hidden`: ids that no word becomes. ValueError for a model, or a setting, that weft does not know, and for parts that
/// do not fit, with the number of the token or merge.
std::unique_ptr<const TokenModel> make_token_model(const TokenModelParts& parts,
                                                   const std::vector<int64_t>& hidden);

}  // namespace weft
