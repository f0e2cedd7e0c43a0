#include <doctest/doctest.h>
#include <weft/data/text/tokens.h>
#include <weft/lib/base/error.h>

#include <numeric>

using namespace weft;

namespace {

std::vector<int64_t> counting(int64_t n) {
  std::vector<int64_t> ids(static_cast<size_t>(n));
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

}  // namespace

TEST_CASE("ids come back whatever their width") {
  for (const int64_t largest :
       {int64_t{0}, int64_t{255}, int64_t{256}, int64_t{65535}, int64_t{65536}, int64_t{UINT32_MAX}}) {
    const std::vector<int64_t> ids{largest, 0, largest / 2, 1 % (largest + 1)};
    const MemoryTokens tokens(ids);
    CHECK(tokens.size() == 4);
    std::vector<int64_t> back(4, -7);
    tokens.read(0, back);
    CHECK(back == ids);
    tokens.read(2, std::span(back).first(1));
    CHECK(back[0] == largest / 2);
  }
  CHECK(id_width(256) == 1);
  CHECK(id_width(257) == 2);
  CHECK(id_width(65536) == 2);
  CHECK(id_width(65537) == 4);
  CHECK(MemoryTokens(std::vector<int64_t>{}).size() == 0);
  CHECK_THROWS_AS(MemoryTokens(std::vector<int64_t>{3, -1}), ValueError);
  CHECK_THROWS_AS(MemoryTokens(std::vector<int64_t>{int64_t{1} << 32}), ValueError);
}

TEST_CASE("reading beyond the end is refused") {
  const MemoryTokens tokens(counting(5));
  std::vector<int64_t> out(3);
  CHECK_NOTHROW(tokens.read(2, out));
  for (const int64_t begin : {int64_t{3}, int64_t{-1}, int64_t{6}, INT64_MAX})
    CHECK_THROWS_AS(tokens.read(begin, out), ValueError);
}

TEST_CASE("floor(0.9 n) tokens train, the rest validate") {
  for (const auto& [n, train] :
       {std::pair<int64_t, int64_t>{0, 0}, {1, 0}, {9, 8}, {10, 9}, {11, 9}, {19, 17}, {1115394, 1003854}}) {
    const auto tokens = std::make_shared<MemoryTokens>(std::string(static_cast<size_t>(n), '\1'), 1);
    const TokenSplit split = split_tokens(tokens);
    CHECK(split.train.size == train);
    CHECK(split.validation.begin == train);
    CHECK(split.validation.size == n - train);
  }
  const TokenSplit split = split_tokens(std::make_shared<MemoryTokens>(counting(20)), "a.txt");
  std::vector<int64_t> out(2);
  split.validation.read(0, out);
  CHECK(out == std::vector<int64_t>{18, 19});
  CHECK_THROWS_WITH_AS(
      split.validation.read(1, out),
      "the validation part of a.txt: 2 tokens from number 1 on are not all among the 2 there are",
      ValueError);
}
