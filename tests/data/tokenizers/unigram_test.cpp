#include <doctest/doctest.h>
#include <weft/data/tokenizers/unigram.h>

#include <algorithm>
#include <limits>

#include "checks.h"

namespace weft {

using test::refuses;

namespace {

/// Of all ways to write a text the sum of the best, by trying each.
double best_sum(const std::vector<std::string>& tokens, const std::vector<double>& scores,
                const std::string& text) {
  if (text.empty()) return 0;
  double best = *std::ranges::min_element(scores) - 10 + best_sum(tokens, scores, text.substr(1));
  for (size_t id = 0; id < tokens.size(); ++id) {
    if (!text.starts_with(tokens[id])) continue;
    best = std::max(best, scores[id] + best_sum(tokens, scores, text.substr(tokens[id].size())));
  }
  return best;
}

}  // namespace

TEST_CASE("unigram: the likeliest of all ways to write a text") {
  const std::vector<std::string> tokens = {"a", "b", "ab", "ba", "aba", "bab", "abab"};
  const std::vector<double> scores = {-2, -2.5, -3.7, -3.4, -5.9, -6.1, -7.2};
  const Unigram unigram(tokens, scores, {});
  for (uint32_t number = 0; number < 2048; ++number) {
    std::string text;
    for (uint32_t left = number + 2; left > 1; left /= 2) text += left % 2 == 0 ? 'a' : 'b';
    if (number % 7 == 0) text.insert(text.size() / 2, "c");
    std::vector<PlacedToken> found;
    unigram.append(text, found);
    double sum = 0;
    size_t at = 0;
    for (const auto& [id, begin, end] : found) {
      CHECK(begin == at);
      at = end;
      sum += id < 0 ? -17.2 : scores[static_cast<size_t>(id)];
      if (id >= 0) CHECK(text.substr(begin, end - begin) == tokens[static_cast<size_t>(id)]);
    }
    CHECK(at == text.size());
    CHECK(sum == doctest::Approx(best_sum(tokens, scores, text)).epsilon(1e-12));
  }
}

TEST_CASE("unigram: some tokens are never met, some always, and scores have to fit") {
  using Use = Unigram::Use;
  std::vector<PlacedToken> found;
  Unigram({"a", "aa"}, {-1, -1}, {.use = {Use::normal, Use::no}}).append("aa", found);
  CHECK(found.size() == 2);
  found.clear();
  Unigram({"a", "b", "ab"}, {-1, -2, -99}, {.use = {Use::normal, Use::normal, Use::always}})
      .append("ab", found);
  REQUIRE(found.size() == 1);
  CHECK(found[0].id == 2);
  refuses<ValueError>([] { Unigram({"a"}, {}, {}); }, {"0 scores for 1 tokens"});
  refuses<ValueError>([] { Unigram({"a"}, {std::numeric_limits<double>::infinity()}, {}); },
                      {"score of token 0"});
}

}  // namespace weft
