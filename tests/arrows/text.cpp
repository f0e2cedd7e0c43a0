#include "text.h"

#include <algorithm>
#include <cctype>

namespace arrows {
namespace {

/// The end of the string or character that opens at `from`, raw strings included.
size_t end_of_literal(const std::string& text, size_t from) {
  const bool raw = text[from] == '"' && from > 0 && text[from - 1] == 'R';
  if (raw) {
    const size_t open = text.find('(', from);
    if (open == std::string::npos) return text.size();
    const std::string close = ")" + text.substr(from + 1, open - from - 1) + "\"";
    const size_t end = text.find(close, open);
    return end == std::string::npos ? text.size() : end + close.size();
  }
  size_t i = from + 1;
  while (i < text.size() && text[i] != text[from] && text[i] != '\n') i += text[i] == '\\' ? 2 : 1;
  return std::min(i + 1, text.size());
}

size_t end_of_comment(const std::string& text, size_t from) {
  const bool line = text[from + 1] == '/';
  const size_t end = text.find(line ? "\n" : "*/", from + 2);
  if (end == std::string::npos) return text.size();
  return line ? end : end + 2;
}

/// An apostrophe between digits, as in 1'000.
bool separates_digits(const std::string& text, size_t i) {
  return text[i] == '\'' && i > 0 && std::isxdigit(static_cast<unsigned char>(text[i - 1])) != 0 &&
         i + 1 < text.size() && std::isxdigit(static_cast<unsigned char>(text[i + 1])) != 0;
}

} // namespace

std::string without_comments(const std::string& text, bool keep_literals) {
  std::string out = text;
  size_t i = 0;
  while (i < text.size()) {
    const bool comment = text[i] == '/' && i + 1 < text.size() && (text[i + 1] == '/' || text[i + 1] == '*');
    const bool literal = (text[i] == '"' || text[i] == '\'') && !separates_digits(text, i);
    if (!comment && !literal) {
      ++i;
      continue;
    }
    const size_t end = comment ? end_of_comment(text, i) : end_of_literal(text, i);
    for (; i < end; ++i) {
      if (out[i] != '\n' && (comment || !keep_literals)) out[i] = ' ';
    }
  }
  return out;
}

} // namespace arrows
