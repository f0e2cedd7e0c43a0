// SentencePiece's unigram and BPE models, out of a .model file, with the ids that SentencePiece gives; a text
// of more than 64 KiB is cut between words for the unigram model. Control symbols,
// <s> and </s> among them, are special: no text becomes them, however it is written.
#pragma once

#include <weft/data/text/tokenizer.h>
#include <weft/data/tokenizers/aligned_text.h>
#include <weft/data/tokenizers/character_map.h>
#include <weft/data/tokenizers/score_bpe.h>
#include <weft/data/tokenizers/sentencepiece_model.h>
#include <weft/data/tokenizers/unigram.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

class SentencePieceTokenizer : public Tokenizer {
 public:
  struct Options {
    /// What encode_special() puts around a text; unless told, <s> before it if there is one, else </s> behind it.
    std::optional<bool> add_begin = {}, add_end = {};
  };
  /// The bytes of a .model file. ValueError for what is none, with the byte, and for what weft does not know of it:
  /// models of words or characters, spaces as suffixes, and rules for what is written.
  explicit SentencePieceTokenizer(std::string model) : SentencePieceTokenizer(std::move(model), Options()) {}
  SentencePieceTokenizer(std::string model, Options options);

  static std::shared_ptr<const Tokenizer> from_state(const StateDict& state);

  const char* kind() const override { return "sentencepiece"; }
  int64_t vocab_size() const override { return static_cast<int64_t>(model_.pieces.size()); }
  size_t append_ids(std::string_view text, std::vector<int64_t>& ids) const override;
  Encoding encode_with_spans(std::string_view text) const override;
  using Tokenizer::encode_special;
  /// Special tokens are not read where they are written, as in SentencePiece.
  std::vector<int64_t> encode_special(std::string_view text, const AroundText& around) const override;
  std::string decode(int64_t id) const override;
  /// Without the space that a text begins with, as SentencePiece writes it.
  std::string decode(std::span<const int64_t> ids) const override;
  bool leaves_beginning(int64_t id) const override;
  /// Bytes that begin a character in UTF-8.
  int64_t count_characters(std::span<const int64_t> ids) const override;
  std::map<std::string, int64_t> special_tokens() const override;
  /// The .model file's bytes.
  StateDict state_dict() const override;

  const SentencePieceModel& model() const { return model_; }
  const std::string& bytes() const { return bytes_; }

 private:
  using Kind = SentencePieceModel::Kind;
  Encoding run(std::string_view text, bool aligned) const;
  AlignedText normalized(std::string_view text, bool aligned) const;
  int64_t control(const std::string& piece) const;
  std::string written(int64_t id) const;

  std::string bytes_;
  Options options_;
  SentencePieceModel model_;
  CharacterMap map_;
  TokenTrie user_defined_;
  std::optional<Unigram> unigram_;
  std::optional<ScoreBpe> bpe_;
  int64_t unknown_ = -1;
  std::array<int64_t, 256> byte_ids_{};
};

}  // namespace weft
