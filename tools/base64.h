// Bytes as text, for pages that hold their pictures and sounds themselves.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weft::tools {

/// RFC 4648, section 4, with padding.
std::string base64(std::span<const uint8_t> bytes);
std::string base64(std::string_view bytes);

}  // namespace weft::tools
