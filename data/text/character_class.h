// What a code point is to the patterns that cut text into words: Unicode's general categories (version 15, utf8proc).
#pragma once

#include <cstdint>

namespace weft {

enum class CharacterClass : uint8_t {
  letter,  ///< \p{L}
  number,  ///< \p{N}
  space,   ///< \s: White_Space
  other,
};

CharacterClass character_class(char32_t code_point);

}  // namespace weft
