#include <weft/data/text/utf8.h>
#include <weft/lib/base/error.h>

namespace weft {
namespace {

struct Lead {
  int length;  // bytes of the character; 0 when no character begins so
  uint8_t low,
      high;  // bounds of the second byte: they rule out overlong forms, surrogates and what is too large
  uint8_t payload_mask;  // bits of the first byte that count
};

Lead lead_of(uint8_t byte) {
  if (byte < 0x80) return {1, 0, 0, 0x7f};
  if (byte < 0xc2) return {0, 0, 0, 0};
  if (byte < 0xe0) return {2, 0x80, 0xbf, 0x1f};
  if (byte < 0xf0)
    return {3, byte == 0xe0 ? uint8_t{0xa0} : uint8_t{0x80}, byte == 0xed ? uint8_t{0x9f} : uint8_t{0xbf},
            0x0f};
  if (byte < 0xf5)
    return {4, byte == 0xf0 ? uint8_t{0x90} : uint8_t{0x80}, byte == 0xf4 ? uint8_t{0x8f} : uint8_t{0xbf},
            0x07};
  return {0, 0, 0, 0};
}

bool prints(char32_t c) {
  const bool control = c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad;
  const bool invisible = (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
                         (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb);
  const bool unassigned = (c >= 0xe000 && c < 0xf900) || (c & 0xfffe) == 0xfffe || c >= 0xe0000;
  return !control && !invisible && !unassigned;
}

}  // namespace

Utf8Char decode_utf8(std::string_view bytes) {
  if (bytes.empty()) return {0, -1};
  const auto byte_at = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  const Lead lead = lead_of(byte_at(0));
  if (lead.length == 0) return {0, 0};
  auto code_point = static_cast<char32_t>(byte_at(0) & lead.payload_mask);
  for (size_t i = 1; i < static_cast<size_t>(lead.length); ++i) {
    if (i == bytes.size()) return {0, -1};
    const uint8_t low = i == 1 ? lead.low : uint8_t{0x80};
    const uint8_t high = i == 1 ? lead.high : uint8_t{0xbf};
    if (byte_at(i) < low || byte_at(i) > high) return {0, 0};
    code_point = (code_point << 6) | (byte_at(i) & 0x3f);
  }
  return {code_point, lead.length};
}

std::u32string characters_of(std::string_view text) {
  std::u32string characters;
  for (size_t at = 0; at < text.size();) {
    const Utf8Char c = decode_utf8(text.substr(at));
    if (c.length <= 0) fail<ValueError>("text: not UTF-8 at byte ", at, "; tokenizer=byte takes any bytes");
    characters += c.code_point;
    at += static_cast<size_t>(c.length);
  }
  return characters;
}

std::string encode_utf8(char32_t code_point) {
  const auto c = static_cast<uint32_t>(code_point);
  if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
    fail<ValueError>("encode_utf8: ", c, " is no code point that UTF-8 can write");
  std::string bytes;
  const auto put = [&](uint32_t byte) { bytes += static_cast<char>(static_cast<uint8_t>(byte)); };
  const auto follow = [&](int shift) { put(0x80 | ((c >> shift) & 0x3f)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | (c >> 6));
    follow(0);
  } else if (c < 0x10000) {
    put(0xe0 | (c >> 12));
    follow(6);
    follow(0);
  } else {
    put(0xf0 | (c >> 18));
    follow(12);
    follow(6);
    follow(0);
  }
  return bytes;
}

std::string describe_character(char32_t code_point) {
  constexpr char digits[] = "0123456789ABCDEF";
  const auto c = static_cast<uint32_t>(code_point);
  std::string name;
  for (int shift = c > 0xfffff ? 20 : c > 0xffff ? 16 : 12; shift >= 0; shift -= 4)
    name += digits[(c >> shift) & 15];
  if (!prints(code_point)) return "U+" + name;
  return "'" + encode_utf8(code_point) + "' (U+" + name + ")";
}

}  // namespace weft
