#include <doctest/doctest.h>
#include <weft/data/tokenizers/token_trie.h>

#include <map>
#include <string>

namespace weft {

TEST_CASE("token trie: the longest key, as a search through all keys finds it") {
  TokenTrie trie;
  CHECK(trie.longest("abc").value == TokenTrie::none);
  std::map<std::string, int32_t> keys;
  uint64_t state = 1;
  const auto draw = [&](uint64_t below) {
    return (state = state * 6364136223846793005U + 1) >> 40 & 0xFFFF ? (state >> 33) % below : 0;
  };
  const auto text = [&](uint64_t most) {
    std::string one(1 + draw(most), 'a');
    for (char& c : one) c = static_cast<char>(draw(3) + (draw(9) == 0 ? 254 : 'a'));
    return one;
  };
  for (int32_t i = 0; i < 3000; ++i) {
    const std::string key = text(8);
    trie.add(key, i);
    keys[key] = i;
  }
  for (int i = 0; i < 3000; ++i) {
    const std::string one = text(12);
    TokenTrie::Found wanted;
    for (size_t length = 1; length <= one.size(); ++length)
      if (const auto found = keys.find(one.substr(0, length)); found != keys.end())
        wanted = {length, found->second};
    CHECK(trie.longest(one).length == wanted.length);
    CHECK(trie.longest(one).value == wanted.value);
    const auto whole = keys.find(one);
    CHECK(trie.find(one) == (whole == keys.end() ? TokenTrie::none : whole->second));
  }
}

}  // namespace weft
