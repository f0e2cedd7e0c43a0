// A tokenizer put together of parts, as Hugging Face's tokenizer.json tells them: added tokens are found, the text
// between is normalized (normalizers.h) and cut into words (splits.h), words become tokens (token_model.h), and tokens
// are written again (decoders.h). The ids are those of Hugging Face's tokenizers.
#pragma once

#include <weft/data/text/tokenizer.h>
#include <weft/data/tokenizers/added_tokens.h>
#include <weft/data/tokenizers/decoders.h>
#include <weft/data/tokenizers/normalizers.h>
#include <weft/data/tokenizers/splits.h>
#include <weft/data/tokenizers/token_model.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

class PipelineTokenizer : public Tokenizer {
 public:
  /// What stands around a text: the ids of special tokens, and where the texts go.
  struct Around {
    static constexpr int64_t text = -1, second = -2;
    int64_t id;
    int64_t type;  ///< what transformers calls token_type_id
    bool operator==(const Around&) const = default;
  };
  struct Parts {
    std::vector<AddedToken> added = {};  ///< each the token of its id
    std::vector<TokenizerStep> normalizers = {}, splits = {}, decoders = {};
    TokenModelParts model;
    std::vector<Around> single = {}, pair = {};  ///< empty: nothing is added
  };
  /// ValueError for a part that weft does not know, or that names tokens which are not there.
  explicit PipelineTokenizer(Parts parts);

  static std::shared_ptr<const Tokenizer> from_state(const StateDict& state);

  const char* kind() const override { return "pipeline"; }
  int64_t vocab_size() const override { return static_cast<int64_t>(parts_.model.tokens.size()); }
  size_t append_ids(std::string_view text, std::vector<int64_t>& ids) const override;
  Encoding encode_with_spans(std::string_view text) const override;
  using Tokenizer::encode_special;
  std::vector<int64_t> encode_special(std::string_view text, const AroundText& around) const override;
  std::string decode(int64_t id) const override;
  std::string decode(std::span<const int64_t> ids) const override;
  /// Bytes that begin a character in UTF-8.
  int64_t count_characters(std::span<const int64_t> ids) const override;
  std::map<std::string, int64_t> special_tokens() const override;
  StateDict state_dict() const override;

  const Parts& parts() const { return parts_; }

 private:
  /// Added tokens before and after normalizing.
  struct Finders {
    AddedTokens raw, normalized;
  };
  Finders finders(bool special) const;
  Encoding run(std::string_view text, const Finders& added, bool aligned) const;
  void run_part(AlignedText text, bool first, const Finders& added, Encoding& to) const;
  std::vector<int64_t> ids_with_special(std::string_view text) const;
  std::string written(int64_t id, bool first) const;

  Parts parts_;
  std::vector<TextStep> normalizers_;
  std::vector<SplitStep> splits_;
  std::unique_ptr<const TokenModel> model_;
  TokenDecoder decoder_;
  Finders plain_, special_;
  std::vector<bool> bare_;  ///< by id: added tokens that are written as they are
};

}  // namespace weft
