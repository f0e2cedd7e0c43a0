#include <weft/data/text/utf8.h>
#include <weft/data/tokenizers/added_tokens.h>
#include <weft/data/tokenizers/unicode.h>

namespace weft {
namespace {

/// The last character of a text; of length 0 at its beginning.
Utf8Char last_character(std::string_view text) {
  size_t at = text.size();
  while (at > 0 && text.size() - at < 4 && (text[--at] & 0xC0) == 0x80) {
  }
  return text.empty() ? Utf8Char{} : decode_utf8(text.substr(at));
}

bool ends_in_word(std::string_view text) {
  const Utf8Char c = last_character(text);
  return c.length > 0 && is_word_character(c.code_point);
}

bool begins_with_word(std::string_view text) {
  const Utf8Char c = decode_utf8(text.substr(0, 4));
  return c.length > 0 && is_word_character(c.code_point);
}

size_t spaces_before(std::string_view text) {
  size_t length = 0;
  for (Utf8Char c;
       (c = last_character(text.substr(0, text.size() - length))).length > 0 && is_space(c.code_point);)
    length += static_cast<size_t>(c.length);
  return length;
}

size_t spaces_behind(std::string_view text) {
  size_t length = 0;
  for (Utf8Char c; (c = decode_utf8(text.substr(length, 4))).length > 0 && is_space(c.code_point);)
    length += static_cast<size_t>(c.length);
  return length;
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  for (size_t i = 0; i < tokens_.size(); ++i)
    if (!tokens_[i].content.empty()) trie_.add(tokens_[i].content, static_cast<int32_t>(i));
}

std::vector<AddedTokens::Part> AddedTokens::parts_of(std::string_view text) const {
  std::vector<Part> parts;
  size_t done = 0;
  for (size_t at = 0; at < text.size() && !tokens_.empty();) {
    const auto [length, found] = trie_.longest(text.substr(at));
    if (length == 0) {
      ++at;
      continue;
    }
    const AddedToken& token = tokens_[static_cast<size_t>(found)];
    size_t begin = at, end = at + length;
    at = end;
    if (token.single_word && (ends_in_word(text.substr(0, begin)) || begins_with_word(text.substr(end))))
      continue;
    if (token.lstrip) begin -= spaces_before(text.substr(done, begin - done));
    if (token.rstrip) at = end += spaces_behind(text.substr(end));
    if (begin > done) parts.push_back({{done, begin}, -1});
    parts.push_back({{begin, end}, token.id});
    done = end;
  }
  if (done < text.size()) parts.push_back({{done, text.size()}, -1});
  return parts;
}

}  // namespace weft
