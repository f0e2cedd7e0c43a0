#include <doctest/doctest.h>
#include <weft/data/generators/grammar.h>
#include <weft/lib/base/error.h>

#include <cmath>
#include <map>
#include <numeric>

using namespace weft;

namespace {

const std::vector<Grammar::Slot> slots = {
    {"hero", {"name", "she"}, {"Mia/she", "Tom/he", "Maud/she", "Timothy/he"}},
    {"friend", {"name", "she"}, {"Ada/she", "Ben/he", "Cy/he", "Al/he"}, "hero"},
    {"thing", {"new", "plain"}, {"a cup/cup", "an oar/oar", "a cap/cap"}}};
const std::vector<Grammar::Class> classes = {{"food", {"figs", "fish", "eggs"}}, {"when", {"Now", "Then"}}};
const std::vector<Grammar::Rule> rules = {
    {"start", 1, "{hero!} had {thing!}. ", "next"},
    {"next", 2, "{Hero.she} lost the {thing.plain}", "end"},
    {"next", 1, "{Hero.she} met {friend!}. {Friend.she} ate [food]", "end"},
    {"next", 3, "Soon [when] {hero.she} slept.", ""},
    {"end", 1, ".", ""},
    {"end", 4, " and [food].", ""},
};

struct Outcome {
  double probability;
  std::vector<double> nats;
};

/// Every derivation of a grammar, each once: the choices are counted up like the digits of a number.
std::map<std::string, Outcome> all_texts(const Grammar& grammar, int64_t& derivations) {
  std::map<std::string, Outcome> texts;
  std::vector<size_t> digits, sizes;
  derivations = 0;
  do {
    size_t place = 0;
    double probability = 1;
    const auto next = [&](std::span<const Grammar::Option> options, std::string_view) {
      if (place == digits.size()) {
        digits.push_back(0);
        sizes.push_back(options.size());
      }
      double sum = 0;
      for (const auto& option : options) sum += option.probability;
      CHECK(sum == doctest::Approx(1).epsilon(1e-14));
      for (const auto& a : options)
        for (const auto& b : options) CHECK((&a == &b || !b.text.starts_with(a.text)));
      probability *= options[digits[place]].probability;
      return digits[place++];
    };
    const Grammar::Derivation one = grammar.derive(next);
    CHECK(one.log_probability == doctest::Approx(std::log(probability)).epsilon(1e-12));
    texts[one.text] = {probability, one.nats};
    ++derivations;
    while (!digits.empty() && ++digits.back() == sizes.back()) {
      digits.pop_back();
      sizes.pop_back();
    }
  } while (!digits.empty());
  return texts;
}

}  // namespace

TEST_CASE("all texts of a small grammar are different and their probabilities sum to 1") {
  const Grammar grammar(slots, classes, rules);
  int64_t derivations = 0;
  const auto texts = all_texts(grammar, derivations);
  CHECK(derivations == 4 * 3 * (1 * 4 + 3 * 3 * 4 + 2));
  CHECK(static_cast<int64_t>(texts.size()) == derivations);
  double sum = 0;
  for (const auto& [text, outcome] : texts) sum += outcome.probability;
  CHECK(sum == doctest::Approx(1).epsilon(1e-12));
  CHECK(texts.contains("Mia had an oar. She met Cy. He ate figs and eggs."));
  CHECK(texts.contains("Timothy had a cap. Soon Then he slept."));
  CHECK_FALSE(texts.contains("Mia had a cup. She met Ada. She ate figs."));
}

TEST_CASE("the nats of a character are those of all texts that share what comes before it") {
  const Grammar grammar(slots, classes, rules);
  int64_t derivations = 0;
  const auto texts = all_texts(grammar, derivations);
  std::map<std::string, double> beginnings;
  for (const auto& [text, outcome] : texts)
    for (size_t length = 0; length <= text.size(); ++length)
      beginnings[text.substr(0, length)] += outcome.probability;
  for (const auto& [text, outcome] : texts) {
    REQUIRE(outcome.nats.size() == text.size());
    for (size_t i = 0; i < text.size(); ++i) {
      const double wanted = -std::log(beginnings[text.substr(0, i + 1)] / beginnings[text.substr(0, i)]);
      CHECK(outcome.nats[i] == doctest::Approx(wanted).epsilon(1e-9).scale(1));
    }
  }
}

TEST_CASE("the statistics are the sums over all texts") {
  const Grammar grammar(slots, classes, rules);
  int64_t derivations = 0;
  double nats = 0, characters = 0;
  for (const auto& [text, outcome] : all_texts(grammar, derivations)) {
    nats -= outcome.probability * std::log(outcome.probability);
    characters += outcome.probability * static_cast<double>(text.size());
  }
  const Grammar::Statistics found = grammar.statistics();
  CHECK(found.nats == doctest::Approx(nats).epsilon(1e-12));
  CHECK(found.characters == doctest::Approx(characters).epsilon(1e-12));
}

TEST_CASE("grammars that would not have one derivation a text are refused") {
  const auto with = [](const std::vector<Grammar::Rule>& bad) { Grammar(slots, classes, bad); };
  CHECK_THROWS_AS(with({}), ValueError);
  CHECK_THROWS_AS(with({{"a", 1, "{hero}", ""}}), ValueError);          // not drawn yet
  CHECK_THROWS_AS(with({{"a", 1, "{friend!}", ""}}), ValueError);       // unlike one not drawn yet
  CHECK_THROWS_AS(with({{"a", 1, "{hero!}{hero!}", ""}}), ValueError);  // drawn twice
  CHECK_THROWS_AS(with({{"a", 1, "x", "a"}}), ValueError);              // a cycle
  CHECK_THROWS_AS(with({{"a", 1, "x", "b"}}), ValueError);              // no such node
  CHECK_THROWS_AS(with({{"a", 0, "x", ""}}), ValueError);               // no weight
  CHECK_THROWS_AS(with({{"a", std::nan(""), "x", ""}}), ValueError);
  CHECK_THROWS_AS(with({{"a", 1, "{nobody!}", ""}}), ValueError);
  CHECK_THROWS_AS(with({{"a", 1, "{hero!}{hero.hat}", ""}}), ValueError);
  CHECK_THROWS_AS(with({{"a", 1, "{hero.she!}", ""}}), ValueError);
  CHECK_THROWS_AS(with({{"a", 1, "[none]", ""}}), ValueError);
  CHECK_THROWS_AS(with({{"a", 1, "{hero!", ""}}), ValueError);
  CHECK_THROWS_AS(with({{"a", 1, "caf\u00e9", ""}}), ValueError);
  // Drawn on one way only.
  CHECK_THROWS_AS(with({{"a", 1, "x{hero!}", "b"}, {"a", 1, "y", "b"}, {"b", 1, "{hero}", ""}}), ValueError);
  const std::vector<Grammar::Rule> one = {{"a", 1, "x", ""}};
  CHECK_THROWS_AS(Grammar({{"s", {"x"}, {"cat", "cats"}}}, {}, one), ValueError);  // cat begins cats
  CHECK_THROWS_AS(Grammar({{"s", {"x"}, {"cat", "cat"}}}, {}, one), ValueError);
  CHECK_THROWS_AS(Grammar({{"s", {"x", "y"}, {"cat"}}}, {}, one), ValueError);  // a form is missing
  CHECK_THROWS_AS(Grammar({{"s", {"x"}, {}}}, {}, one), ValueError);
  CHECK_THROWS_AS(Grammar({}, {{"c", {"an", "ant"}}}, one), ValueError);
  CHECK_THROWS_AS(Grammar({{"s", {"x"}, {"a"}}, {"t", {"x"}, {"b"}, "s"}}, {}, one),
                  ValueError);  // unlike the only word
}

TEST_CASE("ways that begin alike are refused when they meet") {
  const auto first = [](std::span<const Grammar::Option>, std::string_view) { return size_t{0}; };
  CHECK_THROWS_AS(Grammar(slots, classes, {{"a", 1, "x", ""}, {"a", 1, "xy", ""}}).derive(first), ValueError);
  CHECK_THROWS_AS(Grammar(slots, classes, {{"a", 1, "[food]", ""}, {"a", 1, "y", ""}}).derive(first),
                  ValueError);
  const auto beyond = [](std::span<const Grammar::Option> options, std::string_view) {
    return options.size();
  };
  CHECK_THROWS_AS(Grammar(slots, classes, rules).derive(beyond), ValueError);
}
