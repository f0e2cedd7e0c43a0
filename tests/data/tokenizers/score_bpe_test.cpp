#include <doctest/doctest.h>
#include <weft/data/tokenizers/score_bpe.h>

namespace weft {

namespace {

std::string merged(const std::vector<ScoreBpe::Piece>& pieces, const std::string& text) {
  std::vector<PlacedToken> tokens;
  ScoreBpe(pieces).append(text, tokens);
  std::string all;
  for (const auto& [id, begin, end] : tokens) all += str(id, ":", text.substr(begin, end - begin), " ");
  return all;
}

}  // namespace

TEST_CASE("BPE by scores: the highest first, the leftmost of equals") {
  const std::vector<ScoreBpe::Piece> letters = {{"a", 0, -9}, {"b", 1, -9}, {"c", 2, -9}};
  const auto with = [&](std::vector<ScoreBpe::Piece> more) {
    more.insert(more.begin(), letters.begin(), letters.end());
    return more;
  };
  CHECK(merged(letters, "abc") == "0:a 1:b 2:c ");
  CHECK(merged(with({{"ab", 3, -1}, {"bc", 4, -2}}), "abc") == "3:ab 2:c ");
  CHECK(merged(with({{"ab", 3, -2}, {"bc", 4, -1}}), "abc") == "0:a 4:bc ");
  CHECK(merged(with({{"aa", 3, -1}}), "aaa") == "3:aa 0:a ");
  CHECK(merged(with({{"ab", 3, -1, true}}), "abc") == "0:a 1:b 2:c ");
  CHECK(merged(with({{"ab", 3, -1, true}, {"abc", 4, -2}}), "abcab") == "4:abc 0:a 1:b ");
  CHECK(merged(with({{"bc", 3, -1}, {"ab", 4, -5, false, true}}), "abc") == "4:ab 2:c ");
  CHECK(merged(letters, "a\u00e9") == "0:a -1:\u00e9 ");
  CHECK(merged(letters, "") == "");
}

}  // namespace weft
