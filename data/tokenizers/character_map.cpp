#include <weft/data/tokenizers/character_map.h>
#include <weft/lib/base/error.h>

#include <cstring>

namespace weft {
namespace {

// A unit of a double-array trie (darts-clone): its label, whether a value is one of its children, and where they lie.
uint32_t label_of(uint32_t unit) { return unit & ((1u << 31) | 0xff); }
bool has_value(uint32_t unit) { return (unit >> 8 & 1) != 0; }
uint32_t offset_of(uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); }

constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

CharacterMap::CharacterMap(std::string_view bytes) {
  if (bytes.empty()) return;
  uint32_t size = 0;
  if (bytes.size() >= sizeof size) std::memcpy(&size, bytes.data(), sizeof size);
  if (size == 0 || size % sizeof(uint32_t) != 0 || size > bytes.size() - sizeof size)
    fail<ValueError>("precompiled_charsmap: of ", bytes.size(), " bytes, the trie cannot have ", size);
  units_.resize(size / sizeof(uint32_t));
  std::memcpy(units_.data(), bytes.data() + sizeof size, size);
  replacements_ = bytes.substr(sizeof size + size);
  if (!replacements_.empty() && replacements_.back() != '\0')
    fail<ValueError>("precompiled_charsmap: the last replacement does not end");
}

std::optional<CharacterMap::Found> CharacterMap::find(std::string_view text, bool longest) const {
  std::optional<Found> found;
  if (units_.empty()) return found;
  uint32_t node = offset_of(units_[0]);
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    node ^= byte;
    if (node >= units_.size() || label_of(units_[node]) != byte) break;
    const uint32_t unit = units_[node];
    node ^= offset_of(unit);
    if (!has_value(unit)) continue;
    const uint32_t at = node < units_.size() ? units_[node] & ((1u << 31) - 1) : UINT32_MAX;
    if (at >= replacements_.size()) break;
    found = {i + 1, replacements_.c_str() + at};
    if (!longest) break;
  }
  return found;
}

std::string to_base64(std::string_view bytes) {
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t three = 0;
    for (size_t i = 0; i < 3; ++i)
      three = three << 8 | (at + i < bytes.size() ? static_cast<uint8_t>(bytes[at + i]) : 0u);
    for (size_t i = 0; i < 4; ++i) text += at + i > bytes.size() ? '=' : digits[three >> (18 - 6 * i) & 63];
  }
  return text;
}

std::string from_base64(std::string_view text) {
  std::string bytes;
  if (text.size() % 4 != 0) fail<ValueError>("base64: has ", text.size(), " characters, not a multiple of 4");
  while (text.ends_with('=')) text.remove_suffix(1);
  uint32_t held = 0;
  int bits = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const char* const digit = std::strchr(digits, text[at]);
    if (!digit || *digit == '\0') fail<ValueError>("base64: character ", at, " is none of its 64");
    held = held << 6 | static_cast<uint32_t>(digit - digits);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(static_cast<uint8_t>(held >> bits & 255));
  }
  return bytes;
}

}  // namespace weft
