// Any tokenizer with special tokens of a name behind its own.
#pragma once

#include <weft/data/tokenizers/wrapped_tokenizer.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

///   MarkedTokenizer tokenizer(own, {"<pad>", "<sep>"});
///   tokenizer.special_tokens()            those of `own`, {"<pad>", own->vocab_size()}, {"<sep>", own->vocab_size() + 1}
///   tokenizer.encode("<sep>")             as `own` reads it: no text becomes a mark
class MarkedTokenizer : public WrappedTokenizer {
 public:
  /// ValueError for a name that is empty, comes twice, or is special to `own` already.
  MarkedTokenizer(std::shared_ptr<const Tokenizer> own, std::vector<std::string> names);

  /// StateError when it is damaged.
  static std::shared_ptr<const Tokenizer> from_state(const StateDict& state);

  const char* kind() const override { return "marked"; }
  std::map<std::string, int64_t> special_tokens() const override;
  /// A mark is put where its name is written.
  using WrappedTokenizer::encode_special;
  std::vector<int64_t> encode_special(std::string_view text, const AroundText& around) const override;
  StateDict state_dict() const override;

  const std::vector<std::string>& names() const { return names_; }

 private:
  std::string decode_behind(int64_t id) const override;

  std::vector<std::string> names_;
};

/// What programs put special tokens in for, whatever a vocabulary calls them: -1 for one it does not have.
///   pad      <pad> [PAD] <|pad|>          fills up a row
///   start    <s> [BOS] <bos> <|begin_of_text|> <|startoftext|>
///   end      </s> [EOS] <eos> <|endoftext|> <|end_of_text|> <|im_end|>
///   unknown  <unk> [UNK]
///   cls      <cls> [CLS]                  stands for a whole text
///   sep      <sep> [SEP]                  ends a text, or a part of one
///   mask     <mask> [MASK]                hides a token
struct SpecialIds {
  int64_t pad = -1, start = -1, end = -1, unknown = -1, cls = -1, sep = -1, mask = -1;

  static SpecialIds of(const Tokenizer& tokenizer);
  /// Whether it is one of them.
  bool contain(int64_t id) const;
};

/// The tokenizer with what it lacks of these: each is a name of the first column above, for which any of its line will
/// do, or a name of its own ("<|user|>"). It is the tokenizer itself when nothing is lacking.
std::shared_ptr<const Tokenizer> with_special(std::shared_ptr<const Tokenizer> tokenizer,
                                              const std::vector<std::string>& wanted);

}  // namespace weft
