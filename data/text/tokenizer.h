// Tokenizers: text to ids and back. They turn into a StateDict, so that a checkpoint alone can read and write
// text. A tokenizer does not change once made; any number of threads may use it.
#pragma once

#include <weft/lib/array/state_dict.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// Ids with the bytes of the text that each stands for.
struct Encoding {
  struct Span {
    size_t begin, end;
    bool operator==(const Span&) const = default;
  };
  std::vector<int64_t> ids;
  std::vector<Span> spans;
};

/// What a tokenizer puts around a text, beside what it does unless told.
struct AroundText {
  std::optional<bool> begin = {}, end = {};  ///< the tokens that begin and end a text
  std::optional<std::string> second = {};    ///< of a pair of texts
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// "char", "byte", "word".
  virtual const char* kind() const = 0;
  /// Ids are 0, ..., vocab_size() - 1.
  virtual int64_t vocab_size() const = 0;
  /// Appends the ids of the longest beginning of `text` that this tokenizer knows; returns the bytes it
  /// covers.
  virtual size_t append_ids(std::string_view text, std::vector<int64_t>& ids) const = 0;
  /// The bytes of one id, for writing as tokens come (a byte token may be a part of a character). ValueError
  /// for an id outside the vocabulary.
  virtual std::string decode(int64_t id) const = 0;
  virtual StateDict state_dict() const = 0;

  /// ValueError that names the first unknown character or word and its position (in characters, from 0), or
  /// the offset of the first bytes that are not UTF-8.
  std::vector<int64_t> encode(std::string_view text) const;
  virtual std::string decode(std::span<const int64_t> ids) const;
  /// Whether behind this token, which begins a text, the next is written as if it began it.
  virtual bool leaves_beginning(int64_t) const { return false; }
  /// The same ids as encode(), and where they come from: a token that stands for a part of a character, or for what was
  /// put into the text, has the bytes of what it was made of, or none. ValueError as encode(), and of a tokenizer that
  /// cannot tell.
  virtual Encoding encode_with_spans(std::string_view text) const;

  /// Tokens that mean something to a program, by name. encode() makes none of them, whatever is written in a text.
  virtual std::map<std::string, int64_t> special_tokens() const { return {}; }
  /// For a text that one trusts: special tokens are read where their names are written, and those that go around a text
  /// are put there. ValueError as encode(), and for a token or a pair that this tokenizer does not know.
  virtual std::vector<int64_t> encode_special(std::string_view text, const AroundText& around) const;
  std::vector<int64_t> encode_special(std::string_view text) const { return encode_special(text, {}); }
  /// What "per character" counts in bits per character: code points. With ByteTokenizer, the bytes that begin
  /// one in UTF-8, so that byte and character models of a text can be compared.
  virtual int64_t count_characters(std::span<const int64_t> ids) const {
    return static_cast<int64_t>(ids.size());
  }

  /// Whether a text may be cut between any two characters and its pieces be read apart.
  virtual bool reads_pieces() const { return false; }
  /// The longest beginning of `text` whose ids do not depend on what follows it; 0 for none. Where there is none at all, a
  /// file is read whole.
  virtual size_t safe_cut(std::string_view text) const { return reads_pieces() ? text.size() : 0; }

  /// The tokenizer that wrote `state` (tokenizer_registry.h). StateError when nobody knows it or it is damaged.
  static std::shared_ptr<const Tokenizer> from_state(const StateDict& state);

 private:
  /// What append_ids stopped at, for messages: "character 'x' (U+0078)".
  virtual std::string describe_unknown(std::string_view text, size_t at) const;
};

/// One id a code point, in the order of the code points.
class CharTokenizer : public Tokenizer {
 public:
  struct Options {
    bool unknown = false;  ///< one more id, the last, for all other characters; it is written as U+FFFD
  };
  /// The vocabulary, in any order, repetitions allowed. ValueError when it is empty.
  explicit CharTokenizer(std::vector<char32_t> characters)
      : CharTokenizer(std::move(characters), Options()) {}
  CharTokenizer(std::vector<char32_t> characters, Options options);
  /// The vocabulary of a text.
  static CharTokenizer of(std::string_view text) { return of(text, Options()); }
  static CharTokenizer of(std::string_view text, Options options);

  static std::shared_ptr<const Tokenizer> from_state(const StateDict& state);

  const char* kind() const override { return "char"; }
  bool reads_pieces() const override { return true; }
  int64_t vocab_size() const override;
  size_t append_ids(std::string_view text, std::vector<int64_t>& ids) const override;
  using Tokenizer::decode;
  std::string decode(int64_t id) const override;
  Encoding encode_with_spans(std::string_view text) const override;
  StateDict state_dict() const override;

  /// Sorted; the id is the place.
  const std::vector<char32_t>& characters() const { return characters_; }
  bool has_unknown() const { return unknown_; }

 private:
  int64_t id_of(char32_t character) const;

  std::vector<char32_t> characters_;
  std::vector<int32_t> low_ids_;  ///< by code point, for those below 256; -1 for none
  bool unknown_ = false;
};

/// 256 ids, the bytes themselves: takes anything.
class ByteTokenizer : public Tokenizer {
 public:
  const char* kind() const override { return "byte"; }
  bool reads_pieces() const override { return true; }
  int64_t vocab_size() const override { return 256; }
  size_t append_ids(std::string_view text, std::vector<int64_t>& ids) const override;
  using Tokenizer::decode;
  int64_t count_characters(std::span<const int64_t> ids) const override;
  std::string decode(int64_t id) const override;
  StateDict state_dict() const override;
};

}  // namespace weft
