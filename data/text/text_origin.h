// From tokens back to the files that they were read from.
#pragma once

#include <weft/data/text/tokenize.h>

#include <cstdint>
#include <vector>

namespace weft {

/// Reads the files again, as far as the tokens that are asked for need it: of several documents, it tokenises only those
/// that hold one.
class TextOrigin : public TokenOrigin {
 public:
  /// Of a text, or of that part of its documents which `validates` says.
  TextOrigin(TextFiles files, std::vector<bool> validates, TextPart part, const TokenizedText& text);

  /// A token lies where the bytes begin that it was made of (encode_with_spans); an end of text at the end of its document.
  /// ValueError for a tokenizer that cannot tell; FileError when the files hold fewer tokens than they did.
  std::vector<TokenPlace> places(std::span<const int64_t> tokens) const override;

 private:
  /// Numbers, among the documents of the files, of those that hold one of the tokens, in order.
  std::vector<int64_t> holding(const std::vector<int64_t>& tokens) const;

  TextFiles files_;
  std::vector<bool> validates_;
  TextPart part_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  TextDocuments documents_;
  int64_t end_id_;
};

}  // namespace weft
