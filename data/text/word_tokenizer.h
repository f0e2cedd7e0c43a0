// One id a word: for texts whose words are all known, as those of a generator are.
#pragma once

#include <weft/data/text/tokenizer.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weft {

/// A text is cut into pieces: a run of letters, one digit, or one other character. A piece that follows a
/// space, or begins the text, has that space in it, as in SentencePiece, so that pieces are put together
/// again by writing one after another; the marks . , : ; ! ? alone never have one.
///   "At 7:25 he ran."    " At", " 7", ":", "2", "5", " he", " ran", "."
/// Text of single spaces without one before a mark comes back as it was.
///
/// Ids 0 to 6 are <pad> <s> </s> <unk> <mask> <cls> <sep>, then come <extra_id_0> to <extra_id_31>, which
/// stand for spans left out (T5), then the words. Special tokens are read wherever they are written so.
///   WordTokenizer tokenizer = WordTokenizer::of("The fox ran.");
///   tokenizer.encode("The fox ran.")    {39, 40, 41, 42}
class WordTokenizer : public Tokenizer {
 public:
  static constexpr int64_t pad = 0, start = 1, end = 2, unknown = 3, mask = 4, cls = 5, sep = 6;
  static constexpr int64_t sentinels = 32;
  static constexpr int64_t first_sentinel = 7;
  static constexpr int64_t first_word = first_sentinel + sentinels;

  struct Options {
    bool unknown = false;  ///< pieces that are not known become <unk>; else they are an error
  };
  /// The pieces, in the order of their ids from first_word on, a leading space where they have one.
  /// ValueError, naming it, on one that is not a piece, or comes twice.
  explicit WordTokenizer(std::vector<std::string> pieces) : WordTokenizer(std::move(pieces), Options()) {}
  WordTokenizer(std::vector<std::string> pieces, Options options);
  /// The pieces of a text, in the order of their bytes.
  static WordTokenizer of(std::string_view text) { return of(text, Options()); }
  static WordTokenizer of(std::string_view text, Options options);
  /// The tokenizer that wrote `state`. StateError when it is damaged.
  static std::shared_ptr<const WordTokenizer> from_state(const StateDict& state);

  const char* kind() const override { return "word"; }
  int64_t vocab_size() const override { return first_word + static_cast<int64_t>(pieces_.size()); }
  size_t append_ids(std::string_view text, std::vector<int64_t>& ids) const override;
  /// The piece with its space; a special token by its name.
  std::string decode(int64_t id) const override;
  /// The text, without the space that it would begin with.
  std::string decode(std::span<const int64_t> ids) const override;
  int64_t count_characters(std::span<const int64_t> ids) const override;
  /// <pad> to <extra_id_31>. A text that holds such a name forges it: generators' texts do not.
  std::map<std::string, int64_t> special_tokens() const override;
  StateDict state_dict() const override;

  static bool is_special(int64_t id) { return id < first_word; }
  bool has_unknown() const { return unknown_; }
  /// The words, without the special tokens.
  const std::vector<std::string>& pieces() const { return pieces_; }
  /// The first word of `other` that this one does not have; null when it has all.
  const std::string* first_unknown(const WordTokenizer& other) const;

 private:
  std::string describe_unknown(std::string_view text, size_t at) const override;

  std::vector<std::string> pieces_;
  std::unordered_map<std::string, int64_t> ids_;
  bool unknown_ = false;
};

}  // namespace weft
