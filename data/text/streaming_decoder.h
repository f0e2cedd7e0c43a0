// Ids as text while they come, whole characters at a time: a token of bytes may be a part of one.
//
//   StreamingDecoder decoder(*tokenizer);
//   for (const int64_t id : ids) write(decoder.next(id));
//   write(decoder.rest());
#pragma once

#include <weft/data/text/tokenizer.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weft {

class StreamingDecoder {
 public:
  struct Options {
    bool begins =
        false;  ///< the ids begin a text, and are no continuation: written as Tokenizer::decode writes it
    /// What no character of UTF-8 can become of is written as U+FFFD, as for a terminal; else the bytes as they are.
    bool display = false;
    std::string_view before = {};  ///< what was written before, which may end within a character
  };
  /// The tokenizer must outlive it.
  explicit StreamingDecoder(const Tokenizer& tokenizer) : StreamingDecoder(tokenizer, Options()) {}
  StreamingDecoder(const Tokenizer& tokenizer, Options options);

  /// What can be written now that this token has come: the characters that are whole with it. The beginning of one is
  /// held back until the rest comes.
  std::string next(int64_t id);
  /// What is to be written at the end of the ids: of text, nothing, so that an unfinished character is left out; of
  /// bytes, among which were some that are no text, what was held back of them, unless they are for display.
  std::string rest() const { return bytes_are_text_ || display_ ? "" : held_.substr(written_); }
  /// All bytes so far, those that are held back too.
  const std::string& bytes() const { return bytes_; }

 private:
  const Tokenizer* tokenizer_;
  bool begins_, display_;
  std::string held_;    ///< the beginning of a character
  size_t written_ = 0;  ///< bytes of it that were written before
  bool bytes_are_text_ = true;
  std::string bytes_;
};

/// All that is written of them.
std::string decode_whole(const Tokenizer& tokenizer, std::span<const int64_t> ids,
                         StreamingDecoder::Options options = {});

}  // namespace weft
