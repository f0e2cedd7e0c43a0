// How much text tokens stand for, so that models of any tokenizer can be compared by bits per byte.
#pragma once

#include <weft/data/text/document_reader.h>
#include <weft/data/text/tokenizer.h>
#include <weft/data/text/tokens.h>

#include <cstdint>
#include <functional>
#include <optional>

namespace weft {

/// Whether what it decodes is, token for token, the text that it read: char without an unknown token, byte and bpe, with
/// marks or without.
bool is_lossless(const Tokenizer& tokenizer);

/// Bytes of text of each id of a lossless tokenizer; of `end_id` none.
std::vector<int64_t> token_bytes(const Tokenizer& tokenizer, int64_t end_id);

/// The tokens of a text, and what they were read from.
struct TextTokens {
  const TextFiles& files;
  const Tokenizer& tokenizer;
  int64_t end_id = -1;                                     ///< that stands behind each document
  std::function<bool(int64_t document)> wanted = nullptr;  ///< documents that were read
};
/// Bytes of the text that those of the tokens in `range` stand for that are scored: all but its first, and, with
/// `apart`, but the first of each document. A token of a lossless tokenizer stands for the bytes it is written with. Else
/// the text is read again, and a token stands for what lies between the end of the token before and its own end
/// (Tokenizer::encode_with_spans): so the bytes that a tokenizer drops or changes, as WordPiece does spaces, count to the
/// token behind them, at the end of a part of text to the one before, and of a whole text every byte counts once. An end of
/// text stands for no byte. None for a tokenizer that cannot tell where its tokens come from.
std::optional<int64_t> scored_bytes(const TextTokens& text, const TokenRange& range, bool apart = false);

}  // namespace weft
