#include <weft/data/text/byte_level.h>
#include <weft/data/text/utf8.h>

#include <array>
#include <cstdint>
#include <vector>

namespace weft {
namespace {

struct Alphabet {
  std::array<std::string, 256> characters;
  std::vector<int> bytes = std::vector<int>(0x200, -1);  // by code point

  Alphabet() {
    char32_t next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
      const bool prints = (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
      const char32_t c = prints ? static_cast<char32_t>(byte) : next++;
      characters[static_cast<size_t>(byte)] = encode_utf8(c);
      bytes[c] = byte;
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet all;
  return all;
}

}  // namespace

std::string_view byte_level_character(unsigned char byte) { return alphabet().characters[byte]; }

std::string to_byte_level(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += byte_level_character(static_cast<unsigned char>(byte));
  return text;
}

std::optional<std::string> from_byte_level(std::string_view text) {
  const Alphabet& all = alphabet();
  std::string bytes;
  for (size_t at = 0; at < text.size();) {
    const Utf8Char c = decode_utf8(text.substr(at, 4));
    if (c.length <= 0 || c.code_point >= all.bytes.size() || all.bytes[c.code_point] < 0) return {};
    bytes += static_cast<char>(static_cast<unsigned char>(all.bytes[c.code_point]));
    at += static_cast<size_t>(c.length);
  }
  return bytes;
}

}  // namespace weft
