// What SentencePiece writes for a space: "lower one eighth block".
#pragma once

#include <string_view>

namespace weft {

constexpr std::string_view space_mark = "\u2581";

}  // namespace weft
