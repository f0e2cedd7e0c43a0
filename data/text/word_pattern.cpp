#include <weft/data/text/character_class.h>
#include <weft/data/text/utf8.h>
#include <weft/data/text/word_pattern.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace weft {
namespace {

struct Character {
  CharacterClass kind = CharacterClass::other;
  size_t length = 0;  ///< 0 behind the end
  char32_t code_point = 0;
};

Character character_at(std::string_view text, size_t at) {
  if (at >= text.size()) return {};
  const auto byte = static_cast<uint8_t>(text[at]);
  if (byte < 0x80) return {character_class(byte), 1, byte};
  const Utf8Char c = decode_utf8(text.substr(at, 4));
  if (c.length <= 0) return {CharacterClass::other, 1, 0xfffd};
  return {character_class(c.code_point), static_cast<size_t>(c.length), c.code_point};
}

/// Behind the characters of a kind from `at` on, at most `most` of them.
size_t run(std::string_view text, size_t at, CharacterClass kind, size_t most = SIZE_MAX) {
  for (; most > 0; --most) {
    const Character c = character_at(text, at);
    if (c.length == 0 || c.kind != kind) break;
    at += c.length;
  }
  return at;
}

bool is_newline(const Character& c) { return c.length > 0 && (c.code_point == '\r' || c.code_point == '\n'); }

/// The length of 's, 't, 'm, 'd, 'll, 've, 're; 0 for none. Without case, the long s is an s.
size_t contraction(std::string_view text, bool any_case) {
  if (text.size() < 2 || text[0] != '\'') return 0;
  const auto letter = [&](size_t at) {
    const char c = at < text.size() ? text[at] : '\0';
    return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  const char first = letter(1), second = letter(2);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  if (any_case && text.substr(1).starts_with("\u017f")) return 3;
  const bool pair =
      (first == 'l' && second == 'l') || (first == 'v' && second == 'e') || (first == 'r' && second == 'e');
  return pair ? 3 : 0;
}

/// \s+(?!\S)|\s+ : all of the spaces at the end of the text, else all but the last one.
size_t spaces(std::string_view text) {
  size_t at = 0, last = 0;
  for (Character c = character_at(text, 0); c.length > 0 && c.kind == CharacterClass::space;
       c = character_at(text, at)) {
    last = at;
    at += c.length;
  }
  return at == text.size() || last == 0 ? at : last;
}

size_t first_word_gpt2(std::string_view text) {
  if (const size_t length = contraction(text, false)) return length;
  const size_t begin = text[0] == ' ' ? 1 : 0;
  const Character c = character_at(text, begin);
  if (c.length > 0 && c.kind != CharacterClass::space) return run(text, begin, c.kind);
  return spaces(text);
}

/// \s*[\r\n]+ : up to the last line end among the spaces that the text begins with; 0 for none.
size_t spaces_to_newline(std::string_view text) {
  size_t end = 0;
  for (size_t at = 0;;) {
    const Character c = character_at(text, at);
    if (c.length == 0 || c.kind != CharacterClass::space) return end;
    at += c.length;
    if (is_newline(c)) end = at;
  }
}

size_t first_word_cl100k(std::string_view text) {
  if (const size_t length = contraction(text, true)) return length;
  const Character c = character_at(text, 0);
  if (c.kind == CharacterClass::letter) return run(text, 0, CharacterClass::letter);
  if (c.kind == CharacterClass::number) return run(text, 0, CharacterClass::number, 3);
  if (!is_newline(c)) {
    if (const size_t end = run(text, c.length, CharacterClass::letter); end > c.length) return end;
    const size_t begin = text[0] == ' ' ? 1 : 0;
    if (size_t end = run(text, begin, CharacterClass::other); end > begin) {
      while (is_newline(character_at(text, end))) ++end;
      return end;
    }
  }
  if (const size_t end = spaces_to_newline(text)) return end;
  return spaces(text);
}

}  // namespace

WordPattern word_pattern_from(std::string_view name) {
  if (name == "gpt2") return WordPattern::gpt2;
  if (name == "cl100k") return WordPattern::cl100k;
  fail<ValueError>("word pattern: must be gpt2 or cl100k, not '", name, "'");
}

const char* name_of(WordPattern pattern) { return pattern == WordPattern::gpt2 ? "gpt2" : "cl100k"; }

size_t first_word(WordPattern pattern, std::string_view text) {
  return pattern == WordPattern::gpt2 ? first_word_gpt2(text) : first_word_cl100k(text);
}

size_t safe_cut(std::string_view text) {
  for (size_t at = text.size(); at-- > 1;) {
    if (text[at] != ' ' && text[at] != '\n') continue;
    // The character before it: at most four bytes, the first of which is no 10xxxxxx.
    size_t begin = at - 1;
    while (begin > 0 && at - begin < 4 && (text[begin] & 0xC0) == 0x80) --begin;
    const Character before = character_at(text, begin);
    if (begin + before.length == at && before.kind == CharacterClass::letter) return at;
  }
  return 0;
}

}  // namespace weft
