// The alphabet in which GPT-2 writes bytes: those that print are themselves, each other one is a character from U+0100
// on. A token of any bytes is text then.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weft {

/// "\nthe" is "Ċthe".
std::string to_byte_level(std::string_view bytes);
/// The bytes again; none for a text with another character, or that is not UTF-8.
std::optional<std::string> from_byte_level(std::string_view text);
/// The character of one byte, in UTF-8.
std::string_view byte_level_character(unsigned char byte);

}  // namespace weft
