#include <doctest/doctest.h>
#include <weft/data/text/byte_level.h>

#include <set>
#include <string>

namespace weft::test {

TEST_CASE("byte level: each byte is a character of its own, those that print themselves") {
  CHECK(to_byte_level("the !~") == "the\u0120!~");
  CHECK(to_byte_level(std::string_view("\n\0\x7f\xa0\xad\xff", 6)) == "\u010a\u0100\u0121\u0142\u0143\u00ff");
  std::string all;
  std::set<std::string_view> characters;
  for (int byte = 0; byte < 256; ++byte) {
    all += static_cast<char>(byte);
    characters.insert(byte_level_character(static_cast<unsigned char>(byte)));
  }
  CHECK(characters.size() == 256);
  CHECK(from_byte_level(to_byte_level(all)) == all);
  for (const char* other : {"a b", "\u4e2d", "\xff", "\u0144"}) CHECK_FALSE(from_byte_level(other));
}

}  // namespace weft::test
