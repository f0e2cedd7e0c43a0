// The bytes of a text.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace weft {

inline std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace weft
