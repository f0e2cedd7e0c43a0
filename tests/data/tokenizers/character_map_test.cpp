#include <doctest/doctest.h>
#include <weft/data/tokenizers/character_map.h>

#include <cstdint>
#include <string>
#include <vector>

#include "checks.h"

namespace weft {

using test::refuses;

namespace {

/// A table of one sequence, "a", that becomes "xy": units of a double array (darts-clone) and the texts behind them.
std::string one_replacement() {
  // Unit 0 is the root, whose children lie at 'a' ^ offset; the leaf of a unit that ends a key lies at its own offset.
  std::vector<uint32_t> units(256, 0);
  const uint32_t child = 1U ^ 'a';
  units[0] = 1U << 10;                            // offset 1
  units[child] = ('a') | (1U << 8) | (2U << 10);  // label a, ends a key, offset 2
  units[child ^ 2U] = 0x80000000U;                // the value 0: the first text
  std::string bytes;
  const auto size = static_cast<uint32_t>(units.size() * 4);
  bytes.append(reinterpret_cast<const char*>(&size), 4);
  bytes.append(reinterpret_cast<const char*>(units.data()), size);
  return bytes + std::string("xy\0", 3);
}

}  // namespace

TEST_CASE("base64: both ways") {
  for (const std::string bytes : {"", "f", "fo", "foo", "foob"})
    CHECK(from_base64(to_base64(bytes)) == bytes);
  CHECK(to_base64("foob") == "Zm9vYg==");
  refuses<ValueError>([] { from_base64("Zm9"); }, {"multiple of 4"});
}

TEST_CASE("a table of replacements: what it replaces, and bytes that are none") {
  CHECK(CharacterMap().empty());
  CHECK_FALSE(CharacterMap("").longest("a"));
  const std::string bytes = one_replacement();
  const CharacterMap map(bytes);
  REQUIRE(map.longest("ab"));
  CHECK(map.longest("ab")->length == 1);
  CHECK(map.longest("ab")->by == "xy");
  CHECK_FALSE(map.longest("b"));
  CHECK_FALSE(map.shortest(""));
  for (size_t length = 1; length < 4 + 256 * 4; length += 37)
    CHECK_THROWS_AS(CharacterMap(std::string_view(bytes).substr(0, length)), ValueError);
  for (size_t at = 0; at < bytes.size(); at += 3) {  // whatever is in them, no search leaves them
    std::string other = bytes;
    other[at] = static_cast<char>(other[at] ^ 0x55);
    try {
      const CharacterMap altered(other);
      static_cast<void>(altered.longest("aaaa"));
      static_cast<void>(altered.shortest("\xff\x00z"));
    } catch (const ValueError&) {
    }
  }
}

}  // namespace weft
