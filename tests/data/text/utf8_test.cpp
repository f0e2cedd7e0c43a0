#include <doctest/doctest.h>
#include <weft/data/text/utf8.h>
#include <weft/lib/array/random.h>
#include <weft/lib/base/error.h>

using namespace weft;

namespace {

/// An independent reading of RFC 3629: decode by the number of leading ones, then refuse what another form
/// writes.
int reference_length(std::string_view bytes, char32_t& code_point) {
  const auto at = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  int length = 0;
  while (length < 8 && (at(0) & (0x80 >> length)) != 0) ++length;
  if (length == 0) return code_point = at(0), 1;
  if (length == 1 || length > 4 || bytes.size() < static_cast<size_t>(length)) return 0;
  uint32_t value = at(0) & (0xffu >> (length + 1));
  for (size_t i = 1; i < static_cast<size_t>(length); ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
    value = value << 6 | (at(i) & 0x3f);
  }
  constexpr uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < smallest[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return 0;
  code_point = value;
  return length;
}

}  // namespace

TEST_CASE("every code point survives the way to bytes and back") {
  for (char32_t c = 0; c <= 0x10ffff; ++c) {
    if (c >= 0xd800 && c < 0xe000) continue;
    const std::string bytes = encode_utf8(c);
    const Utf8Char back = decode_utf8(bytes + "x");
    if (back.code_point != c || back.length != static_cast<int>(bytes.size()))
      FAIL("code point ", uint32_t{c});
    for (size_t cut = 0; cut < bytes.size(); ++cut)
      if (decode_utf8(std::string_view(bytes).substr(0, cut)).length != -1)
        FAIL("cut code point ", uint32_t{c});
  }
  CHECK_THROWS_AS(encode_utf8(0xd800), ValueError);
  CHECK_THROWS_AS(encode_utf8(0x110000), ValueError);
}

TEST_CASE("all beginnings of two bytes, and random longer ones, decode as the standard says") {
  const auto agree = [](std::string_view bytes) {
    char32_t wanted = 0;
    const int length = reference_length(bytes, wanted);
    const Utf8Char found = decode_utf8(bytes);
    return length > 0 ? found.length == length && found.code_point == wanted : found.length <= 0;
  };
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b)
      for (const char* rest : {"", "\x80", "\xbf\x80", "\x80\xbfz", "zz"}) {
        const std::string bytes = std::string{static_cast<char>(a), static_cast<char>(b)} + rest;
        if (!agree(bytes)) FAIL("bytes ", a, " ", b, " and ", std::string(rest).size());
      }
  for (uint64_t i = 0; i < 200000; ++i) {
    const auto words = philox({1, 2}, 0, i);
    std::string bytes;
    for (const uint32_t shift : {0u, 8u, 16u, 24u})
      bytes += static_cast<char>(words[0] >> shift | 0x80 * (words[1] >> shift & 1));
    if (!agree(bytes)) FAIL("random bytes ", i);
  }
}

TEST_CASE("text that is not UTF-8 is refused with its offset") {
  CHECK(characters_of("a\u00e9\U0001F600") == U"a\u00e9\U0001F600");
  CHECK(characters_of("").empty());
  for (const char* bad : {"\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x8f\xbf\xbf",
                          "\xff", "\x80", "\xc3"})
    CHECK_THROWS_WITH_AS(characters_of(std::string("ab\u00e9") + bad),
                         "text: not UTF-8 at byte 4; tokenizer=byte takes any bytes", ValueError);
}

TEST_CASE("characters are described so that a person finds them") {
  CHECK(describe_character(U'a') == "'a' (U+0061)");
  CHECK(describe_character(U'\u00e9') == "'\u00e9' (U+00E9)");
  CHECK(describe_character(U'\U0001F600') == "'\U0001F600' (U+1F600)");
  CHECK(describe_character(U'\n') == "U+000A");
  CHECK(describe_character(0xfeff) == "U+FEFF");
  CHECK(describe_character(0x10ffff) == "U+10FFFF");
}
