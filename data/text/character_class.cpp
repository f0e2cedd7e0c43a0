#include <utf8proc.h>
#include <weft/data/text/character_class.h>

#include <array>
#include <vector>

namespace weft {
namespace {

constexpr char32_t code_points = 0x110000;

CharacterClass looked_up(char32_t c) {
  if ((c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85) return CharacterClass::space;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return CharacterClass::letter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return CharacterClass::number;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return CharacterClass::space;
    default:
      return CharacterClass::other;
  }
}

std::vector<CharacterClass> table(char32_t end) {
  std::vector<CharacterClass> all(end);
  for (char32_t c = 0; c < end; ++c) all[c] = looked_up(c);
  return all;
}

}  // namespace

CharacterClass character_class(char32_t c) {
  // Most texts never leave the first table, which is made at once; the other takes some milliseconds.
  static const std::vector<CharacterClass> low = table(0x800);
  if (c < 0x800) return low[c];
  static const std::vector<CharacterClass> all = table(code_points);
  return c < code_points ? all[c] : CharacterClass::other;
}

}  // namespace weft
