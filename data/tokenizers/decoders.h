// The decoders of Hugging Face's tokenizers: what a token is written as. By their names there: ByteFallback, ByteLevel,
// Fuse, Metaspace, Replace, Strip, WordPiece. "Sequence" is a list of steps here; without any, tokens are written with
// spaces between.
#pragma once

#include <weft/data/tokenizers/step.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

class TokenDecoder {
 public:
  TokenDecoder() = default;
  /// ValueError for a decoder, or a setting of one, that weft does not know; so for one whose bytes depend on the tokens
  /// behind: text could not be written as it comes.
  explicit TokenDecoder(const std::vector<TokenizerStep>& steps);

  /// The bytes of a token; `first`: of the first of a text. They need not be whole characters.
  std::string bytes_of(std::string_view token, bool first) const;

 private:
  using Step = std::function<void(std::string& token, bool first)>;
  static Step made(const TokenizerStep& step, bool fused);
  std::vector<Step> steps_;
};

/// "<0x0A>" is a byte, of SentencePiece and Hugging Face; -1 for another text.
int byte_of_token(std::string_view token);
std::string token_of_byte(int byte);

}  // namespace weft
