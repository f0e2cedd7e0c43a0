#include <doctest/doctest.h>
#include <weft/data/text/bpe_merges.h>
#include <weft/lib/base/error.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace weft::test {
namespace {

/// The definition: of all neighbours with a merge those of the least rank, the leftmost first.
std::vector<int32_t> merged_plainly(const BpeMerges& merges, std::vector<int32_t> word) {
  for (;;) {
    int32_t least = INT32_MAX;
    size_t at = 0;
    for (size_t i = 0; i + 1 < word.size(); ++i)
      if (const auto found = merges.find(word[i], word[i + 1]); found.rank >= 0 && found.rank < least) {
        least = found.rank;
        at = i;
      }
    if (least == INT32_MAX) return word;
    word[at] = merges.find(word[at], word[at + 1]).result;
    word.erase(word.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

}  // namespace

TEST_CASE("bpe merges: the least rank first, the leftmost of one rank") {
  // a b c: "bc" comes before "ab".
  const BpeMerges merges(std::vector<BpeMerge>{{1, 2, 3}, {0, 1, 4}, {0, 3, 5}, {6, 6, 7}});
  const auto applied = [&](std::vector<int32_t> word) {
    merges.apply(word);
    return word;
  };
  CHECK(applied({0, 1, 2}) == std::vector<int32_t>{5});
  CHECK(applied({0, 1, 0}) == std::vector<int32_t>{4, 0});
  CHECK(applied({6, 6, 6}) == std::vector<int32_t>{7, 6});
  CHECK(applied({}).empty());
  CHECK(applied({2}) == std::vector<int32_t>{2});
  CHECK(merges.find(0, 2).rank == -1);
  CHECK(merges.find(0, 1).rank == 1);
}

TEST_CASE("bpe merges: words of any length are merged as the definition says") {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    // Merges of random pairs of what is there.
    std::vector<BpeMerge> all;
    int32_t next = 4;
    for (int i = 0; i < 30; ++i) {
      const auto pick = [&] { return static_cast<int32_t>(random() % static_cast<uint32_t>(next)); };
      const BpeMerge merge{pick(), pick(), next};
      bool twice = false;
      for (const BpeMerge& m : all) twice = twice || (m.left == merge.left && m.right == merge.right);
      if (twice) continue;
      all.push_back(merge);
      ++next;
    }
    const BpeMerges merges(all);
    for (const size_t length : {2U, 7U, 63U, 64U, 65U, 66U, 300U}) {
      std::vector<int32_t> word(length);
      for (int32_t& token : word) token = static_cast<int32_t>(random() % 4);
      const std::vector<int32_t> wanted = merged_plainly(merges, word);
      merges.apply(word);
      CHECK(word == wanted);
    }
  }
}

TEST_CASE("bpe merges: a word of a million letters takes no time of its square") {
  const BpeMerges merges(std::vector<BpeMerge>{{0, 0, 1}, {1, 1, 2}, {2, 2, 3}});
  std::vector<int32_t> word(1'000'001, 0);
  merges.apply(word);
  CHECK(word.size() == 125'001);
  CHECK(word.back() == 0);
}

TEST_CASE("bpe merges: a pair that comes twice is refused") {
  CHECK_THROWS_AS(BpeMerges(std::vector<BpeMerge>{{0, 1, 2}, {0, 1, 3}}), ValueError);
  CHECK_THROWS_AS(BpeMerges(std::vector<BpeMerge>{{0, -1, 2}}), ValueError);
  CHECK(BpeMerges(std::vector<BpeMerge>{}).find(0, 0).rank == -1);
}

}  // namespace weft::test
