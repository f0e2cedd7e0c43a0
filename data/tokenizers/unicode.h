// What normalizers and splits ask of Unicode (version 15, utf8proc).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weft {

enum class NormalForm { nfc, nfd, nfkc, nfkd };
/// Of text in UTF-8.
std::string normalized(std::string_view text, NormalForm form);
/// Whether a character may be altered by those before it, in any form: then no text is cut before it.
bool joins_to_previous(char32_t c);

/// As UTF-8: the lower case of some characters is two.
std::string lower_case(char32_t c);
bool is_space(char32_t c);        ///< White_Space
bool is_punctuation(char32_t c);  ///< categories P*
/// Letters and digits of any script, marks, and connectors: \w.
bool is_word_character(char32_t c);
bool is_number(char32_t c);  ///< categories N*
bool is_nonspacing_mark(char32_t c);
/// Categories Cc, Cf, Cs and Co; not those that are not assigned.
bool is_control(char32_t c);
/// The blocks of ideographs that BERT takes apart.
bool is_ideograph(char32_t c);
/// Bytes of the extended grapheme cluster that a text begins with.
size_t first_grapheme(std::string_view text);

}  // namespace weft
