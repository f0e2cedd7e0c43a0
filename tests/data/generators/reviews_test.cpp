#include <doctest/doctest.h>
#include <weft/data/generators/reviews.h>
#include <weft/data/text/word_tokenizer.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

using namespace weft;

namespace {

Review review_at(uint64_t sample) {
  Draws draws(random_key(5, 6), sample);
  return draw_review(draws);
}

const std::set<std::string> praise = {"wonderful",   "superb",     "brilliant", "perfect", "splendid",
                                      "magnificent", "good",       "lovely",    "nice",    "pleasant",
                                      "charming",    "delightful", "fresh",     "elegant", "friendly",
                                      "decent",      "fine",       "adequate"};
const std::set<std::string> blame = {"dreadful", "horrible", "awful", "terrible", "disgusting",  "miserable",
                                     "bad",      "poor",     "nasty", "stale",    "shabby",      "rude",
                                     "bland",    "gloomy",   "dull",  "lacking",  "forgettable", "mediocre"};
const std::set<std::string> weak = {"decent", "fine", "adequate", "mediocre", "lacking", "forgettable"};

struct ReviewReading {
  bool positive = false;
  bool weak = false;
};

/// The rule, by reading the words one after another: what each sentence that judges says.
std::vector<ReviewReading> read(const std::string& text) {
  const WordTokenizer tokenizer = WordTokenizer::of(text);
  std::vector<ReviewReading> sentences, clauses;
  bool negated = false, first_decides = false;
  std::string before;
  for (const int64_t id : tokenizer.encode(text)) {
    std::string word = tokenizer.decode(id);
    if (word[0] == ' ') word.erase(0, 1);
    if (word == "not" || word == "hardly" || word == "never" || (word == "but" && before == "anything") ||
        (word == "from" && before == "far"))
      negated = true;
    if (word == "although" && !clauses.empty()) first_decides = true;
    if (praise.contains(word) || blame.contains(word)) {
      const bool second = (before == "and" || before == "or") && !clauses.empty();
      if (second) clauses.pop_back();
      clauses.push_back({praise.contains(word) != negated, weak.contains(word)});
    }
    if (word == "the" || word == ".") negated = false;  // a clause begins or ends
    if (word == ".") {
      REQUIRE(clauses.size() <= 2);
      if (!clauses.empty()) sentences.push_back(first_decides ? clauses.front() : clauses.back());
      clauses.clear();
      first_decides = false;
    }
    before = word;
  }
  REQUIRE_FALSE(sentences.empty());
  return sentences;
}

}  // namespace

TEST_CASE("the rule reads the label from the text, but for the noise") {
  int right = 0, weak_wrong = 0, weak_all = 0, positive = 0;
  std::array<int, 3> lengths{};
  constexpr int count = 20000;
  for (uint64_t sample = 0; sample < count; ++sample) {
    const Review review = review_at(sample);
    const std::vector<ReviewReading> readings = read(review.text);
    REQUIRE(readings.size() <= lengths.size());
    ++lengths[readings.size() - 1];
    for (const ReviewReading& reading : readings) CHECK(reading.positive == review.by_rule);
    const ReviewReading& reading = readings.back();
    right += review.positive == review.by_rule;
    weak_all += reading.weak;
    weak_wrong += reading.weak && review.positive != review.by_rule;
    positive += review.positive;
  }
  CHECK(std::abs(lengths[0] / double{count} - 0.4) < 0.01);
  CHECK(std::abs(lengths[1] / double{count} - 0.4) < 0.01);
  CHECK(best_review_accuracy() == doctest::Approx(0.975).epsilon(1e-12));
  CHECK(std::abs(right / double{count} - best_review_accuracy()) < 0.004);
  CHECK(std::abs(weak_all / double{count} - 0.2) < 0.01);
  CHECK(std::abs(weak_wrong / double(weak_all) - 0.075) < 0.015);
  CHECK(std::abs(positive / double{count} - 0.5) < 0.015);
}

TEST_CASE("negation, contrast and distance come up, and no single word decides") {
  int negated = 0, contrast = 0, far = 0;
  std::map<std::string, std::pair<int, int>> words;  // reviews with a word: all, positive by rule
  constexpr int count = 20000;
  for (uint64_t sample = 0; sample < count; ++sample) {
    const Review review = review_at(sample);
    negated += review.text.find(" not ") != std::string::npos;
    contrast +=
        review.text.find("although") != std::string::npos || review.text.find(", but ") != std::string::npos;
    far += review.text.find("had ") != std::string::npos;
    const WordTokenizer tokenizer = WordTokenizer::of(review.text);
    for (const std::string& piece : tokenizer.pieces()) {
      ++words[piece].first;
      words[piece].second += review.by_rule;
    }
  }
  CHECK(negated > count / 8);
  CHECK(contrast > count * 0.45);
  CHECK(far > count / 3);
  for (const auto& [word, met] : words) {
    CAPTURE(word);
    const double share = met.second / double(met.first);
    CHECK(share > 0.15);
    CHECK(share < 0.85);
  }
}

TEST_CASE("the words of reviews are all there and no others, and none is longer than said") {
  const WordTokenizer words = WordTokenizer::of(review_words());
  std::set<int64_t> met;
  size_t longest = 0;
  for (uint64_t sample = 0; sample < 20000; ++sample) {
    const Review review = review_at(sample);
    const std::string all = review.verdict + review.text;
    const std::vector<int64_t> ids = words.encode(all);
    CHECK(words.decode(ids) == all);
    met.insert(ids.begin(), ids.end());
    longest = std::max(longest, words.encode(review.text).size());
    CHECK(static_cast<int64_t>(words.encode(review.verdict).size()) <= longest_verdict());
  }
  CHECK(static_cast<int64_t>(longest) <= longest_review());
  CHECK(static_cast<int64_t>(longest) > longest_review() / 2);
  CHECK(met.size() == words.pieces().size());
}

TEST_CASE("the verdict says the label and is not in the text") {
  std::map<std::string, std::set<bool>> labels;
  for (uint64_t sample = 0; sample < 1000; ++sample) {
    const Review review = review_at(sample);
    CHECK(review.verdict.starts_with("we "));
    CHECK(review.verdict.ends_with(" it. "));
    CHECK_FALSE(review.text.starts_with(review.verdict));
    labels[review.verdict].insert(review.positive);
  }
  CHECK(labels.size() == 6);
  for (const auto& [verdict, said] : labels) CHECK(said.size() == 1);
}

TEST_CASE("known reviews stay as they are") {
  CHECK(review_at(2).text ==
        "my brother told us about this place. the cook, which we had heard about late in the evening, "
        "seemed very good and fresh. the fish that a friend of mine and the guide had talked about during "
        "the storm and again during the storm seemed lovely and fresh and the garden that a friend of mine "
        "had chosen turned out to be really lovely and pleasant. it was our last visit.");
  CHECK(review_at(2).positive);
  CHECK(review_at(4).text ==
        "the salad that the guide and a friend of mine had talked about late in the evening and again late "
        "in the evening was quite horrible and disgusting. the view, which a friend of mine had praised to "
        "all of us after a long walk, turned out to be quite nasty, although the view, which my uncle had "
        "ordered for the whole family, was truly superb and magnificent.");
  CHECK_FALSE(review_at(4).positive);
}
