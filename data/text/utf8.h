// UTF-8, strictly (RFC 3629). A character is a code point.
#pragma once

#include <string>
#include <string_view>

namespace weft {

/// The first character of some bytes. length is its number of bytes; 0 when the bytes are not UTF-8, and -1
/// when they are the beginning of a character whose rest is missing (also for no bytes at all).
struct Utf8Char {
  char32_t code_point = 0;
  int length = 0;
};
/// Overlong forms, surrogates and values beyond U+10FFFF are not UTF-8.
Utf8Char decode_utf8(std::string_view bytes);
/// All characters. ValueError with the byte offset of the first bad sequence.
std::u32string characters_of(std::string_view text);
/// The bytes of a code point. ValueError when it is a surrogate or beyond U+10FFFF.
std::string encode_utf8(char32_t code_point);
/// For messages: "'é' (U+00E9)"; "U+0007" alone for one that does not print.
std::string describe_character(char32_t code_point);

}  // namespace weft
