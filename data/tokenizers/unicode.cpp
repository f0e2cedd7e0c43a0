#include <utf8proc.h>
#include <weft/data/text/character_class.h>
#include <weft/data/text/utf8.h>
#include <weft/data/tokenizers/unicode.h>
#include <weft/lib/base/error.h>

#include <cstdlib>
#include <memory>

namespace weft {
namespace {

utf8proc_category_t category(char32_t c) { return utf8proc_category(static_cast<utf8proc_int32_t>(c)); }

}  // namespace

std::string normalized(std::string_view text, NormalForm form) {
  int options = UTF8PROC_STABLE;
  options |= form == NormalForm::nfc || form == NormalForm::nfkc ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
  if (form == NormalForm::nfkc || form == NormalForm::nfkd) options |= UTF8PROC_COMPAT;
  utf8proc_uint8_t* bytes = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                             static_cast<utf8proc_ssize_t>(text.size()), &bytes,
                                             static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owner(bytes, std::free);
  if (size < 0) fail<ValueError>("Unicode: the text cannot be normalized: ", utf8proc_errmsg(size));
  return {reinterpret_cast<const char*>(bytes), static_cast<size_t>(size)};
}

bool joins_to_previous(char32_t c) {
  if (c < 0x300) return false;
  switch (category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return true;
    default:
      // Vowels and finals of Hangul, and the half-width forms of these and of the voiced marks.
      return (c >= 0x1160 && c <= 0x11ff) || (c >= 0xff9e && c <= 0xffdc);
  }
}

std::string lower_case(char32_t c) {
  if (c == 0x130) return "i\u0307";
  return encode_utf8(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
}

bool is_space(char32_t c) { return character_class(c) == CharacterClass::space; }

bool is_number(char32_t c) { return character_class(c) == CharacterClass::number; }

bool is_punctuation(char32_t c) {
  const utf8proc_category_t found = category(c);
  return found >= UTF8PROC_CATEGORY_PC && found <= UTF8PROC_CATEGORY_PO;
}

bool is_word_character(char32_t c) {
  const utf8proc_category_t found = category(c);
  return character_class(c) == CharacterClass::letter || found == UTF8PROC_CATEGORY_ND ||
         found == UTF8PROC_CATEGORY_NL || found == UTF8PROC_CATEGORY_PC || found == UTF8PROC_CATEGORY_MN ||
         found == UTF8PROC_CATEGORY_MC || found == UTF8PROC_CATEGORY_ME || (c >= 0x24b6 && c <= 0x24e9);
}

bool is_nonspacing_mark(char32_t c) { return category(c) == UTF8PROC_CATEGORY_MN; }

bool is_control(char32_t c) {
  const utf8proc_category_t found = category(c);
  return found == UTF8PROC_CATEGORY_CC || found == UTF8PROC_CATEGORY_CF || found == UTF8PROC_CATEGORY_CS ||
         found == UTF8PROC_CATEGORY_CO;
}

bool is_ideograph(char32_t c) {
  return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x20000 && c <= 0x2a6df) ||
         (c >= 0x2a700 && c <= 0x2b73f) || (c >= 0x2b740 && c <= 0x2b81f) || (c >= 0x2b820 && c <= 0x2ceaf) ||
         (c >= 0xf900 && c <= 0xfaff) || (c >= 0x2f800 && c <= 0x2fa1f);
}

size_t first_grapheme(std::string_view text) {
  utf8proc_int32_t state = 0;
  Utf8Char last = decode_utf8(text);
  size_t at = last.length > 0 ? static_cast<size_t>(last.length) : text.empty() ? 0 : 1;
  while (at < text.size()) {
    const Utf8Char c = decode_utf8(text.substr(at, 4));
    if (c.length <= 0 ||
        utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(last.code_point),
                                         static_cast<utf8proc_int32_t>(c.code_point), &state))
      break;
    last = c;
    at += static_cast<size_t>(c.length);
  }
  return at;
}

}  // namespace weft
