// Byte-level BPE: a text is cut into words (word_pattern.h), each byte of a word is a token, and neighbours are merged
// (bpe_merges.h). Any bytes come back as they were.
#pragma once

#include <weft/data/text/bpe_merges.h>
#include <weft/data/text/tokenizer.h>
#include <weft/data/text/word_pattern.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

class BpeTokenizer : public Tokenizer {
 public:
  struct Parts {
    WordPattern pattern = WordPattern::gpt2;
    /// The bytes of each id; of a special token its name.
    std::vector<std::string> tokens;
    std::vector<BpeMerge> merges;
    /// Ids that no text becomes, by name: they are written by a program alone.
    std::map<std::string, int64_t> special = {};
    /// A word that is a token is that token, whatever merges would make of it (cl100k).
    bool ignore_merges = false;
  };
  /// ValueError when a byte has no token of its own, two ids have the same bytes, or a merge or a special token is not
  /// among the tokens, each with its number.
  explicit BpeTokenizer(Parts parts);

  static std::shared_ptr<const Tokenizer> from_state(const StateDict& state);

  const char* kind() const override { return "bpe"; }
  int64_t vocab_size() const override { return static_cast<int64_t>(parts_.tokens.size()); }
  size_t append_ids(std::string_view text, std::vector<int64_t>& ids) const override;
  using Tokenizer::decode;
  std::string decode(int64_t id) const override;
  size_t safe_cut(std::string_view text) const override { return weft::safe_cut(text); }
  /// Bytes that begin a character in UTF-8.
  int64_t count_characters(std::span<const int64_t> ids) const override;
  std::map<std::string, int64_t> special_tokens() const override { return parts_.special; }
  StateDict state_dict() const override;

  const Parts& parts() const { return parts_; }

 private:
  void append_word(std::string_view word, std::vector<int64_t>& ids) const;

  Parts parts_;
  BpeMerges merges_;
  std::array<int32_t, 256> byte_ids_{};
  std::map<std::string, int32_t, std::less<>> whole_;  ///< ids by bytes, with ignore_merges
  uint64_t number_;  ///< tells this one's words in a cache from those of others
};

}  // namespace weft
