#include <weft/data/generators/reviews.h>
#include <weft/data/generators/templates.h>

#include <algorithm>
#include <numeric>

namespace weft {
namespace {

struct Strength {
  const char* positive;  // names of templates
  const char* negative;
  double share;
  double noise;
};
const std::vector<Strength> strengths = {{"strong praise", "strong blame", 0.3, 0.0},
                                         {"praise", "blame", 0.5, 0.02},
                                         {"weak praise", "weak blame", 0.2, 0.075}};

// [word] is where the words that decide go.
const std::string straight = "the [thing][distance] [was] [very][word]";
const std::string negated = "the [thing][distance] [was] [not] [word]";

const std::string praising = "we [liked] it. ";
const std::string blaming = "we [disliked] it. ";

// Of reviews, in sentences: 1, 2, 3.
const std::vector<double> lengths = {0.4, 0.4, 0.2};

struct Frame {
  const char* text;  // [a] and [b] are the clauses
  double share;
  bool opposite;  // of each other
  bool a_decides;
};
const std::vector<Frame> frames = {{"[b].", 0.35, false, false},
                                   {"[a] and [b].", 0.25, false, false},
                                   {"[a], but [b].", 0.16, true, false},
                                   {"although [a], [b].", 0.12, true, false},
                                   {"[a], although [b].", 0.12, true, true}};

Templates::Texts texts() {
  return {
      {"strong praise", {"wonderful", "superb", "brilliant", "perfect", "splendid", "magnificent"}},
      {"strong blame", {"dreadful", "horrible", "awful", "terrible", "disgusting", "miserable"}},
      {"praise",
       {"good", "lovely", "nice", "pleasant", "charming", "delightful", "fresh", "elegant", "friendly"}},
      {"blame", {"bad", "poor", "nasty", "stale", "shabby", "rude", "bland", "gloomy", "dull"}},
      {"weak praise", {"decent", "fine", "adequate"}},
      {"weak blame", {"mediocre", "lacking", "forgettable"}},
      {"thing",
       {"food",    "service", "room",    "music",  "view", "soup",  "bread",     "wine", "coffee", "garden",
        "terrace", "menu",    "dessert", "waiter", "cook", "table", "breakfast", "fish", "salad",  "cake"}},
      {"was", {"was", "was", "seemed", "turned out to be", "proved"}},
      {"very", {"", "", "very ", "really ", "quite ", "truly "}},
      {"not", {"not", "not", "hardly", "never", "anything but", "far from"}},
      {"who",
       {"my sister", "my brother", "our neighbour", "a friend of mine", "the guide", "my uncle",
        "our driver"}},
      {"guests", {"the whole family", "six people", "the children", "all of us", "two cousins"}},
      {"when",
       {"before the concert", "after a long walk", "late in the evening", "on the way home",
        "during the storm", "at the end of the week"}},
      {"distance",
       {"", "", "", "", "", "", " that [who] had chosen", ", which [who] had ordered for [guests],",
        ", which we had heard about [when],", ", which [who] had praised to [guests] [when],",
        ", which [who] had complained about to [guests] [when],",
        " that [who] and [who] had talked about [when] and again [when]"}},
      {"day", {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}},
      {"weather", {"rainy", "sunny", "windy", "cold", "warm", "snowy"}},
      {"opening",
       {"", "", "", "", "", "we came here on a [weather] [day]. ", "[who] booked a table for [guests]. ",
        "we stopped here [when]. ", "[who] told us about this place. "}},
      {"closing",
       {"", "", "", "", "", " it was our [count] visit.", " we paid and left [when].",
        " [who] took the bus home.", " we sat by the [thing] [when]."}},
      {"count", {"first", "second", "third", "last"}},
      {"liked", {"loved", "liked", "enjoyed"}},
      {"disliked", {"hated", "disliked", "regretted"}},
  };
}

const Templates& templates() {
  static const Templates all(texts());
  return all;
}

void put(std::string& text, const std::string& gap, const std::string& what) {
  if (const size_t at = text.find(gap); at != std::string::npos) text.replace(at, gap.size(), what);
}

struct Clause {
  std::string text;
  const Strength* strength;  // of its words
};

const char* words_of(const Strength& strength, bool positive) {
  return positive ? strength.positive : strength.negative;
}

// A clause of the sense asked for; one of five says it by negation, half with two words of one kind.
Clause draw_clause(bool positive, Draws& draws) {
  std::vector<double> shares;
  for (const Strength& strength : strengths) shares.push_back(strength.share);
  const Strength& strength = strengths[draws.weighted(shares)];
  const bool negation = draws.chance(0.2), two = draws.chance(0.5);
  const std::vector<std::string>& words = templates().texts(words_of(strength, positive != negation));
  std::string said;
  for (const int64_t word : draws.subset(static_cast<int64_t>(words.size()), two ? 2 : 1))
    said += (said.empty() ? "" : negation ? " or " : " and ") + words[static_cast<size_t>(word)];
  std::string text = negation ? negated : straight;
  put(text, "[word]", said);
  return {templates().fill(text, draws), &strength};
}

// One or two clauses that say the sense asked for; the strength is that of the words that decide.
Clause draw_sentence(bool positive, Draws& draws) {
  std::vector<double> shares;
  for (const Frame& frame : frames) shares.push_back(frame.share);
  const Frame& frame = frames[draws.weighted(shares)];
  const bool other = positive != frame.opposite;
  const Clause a = draw_clause(frame.a_decides ? positive : other, draws);
  const Clause b = draw_clause(frame.a_decides ? other : positive, draws);
  std::string text = frame.text;
  put(text, "[a]", a.text);
  put(text, "[b]", b.text);
  return {text, frame.a_decides ? a.strength : b.strength};
}

}  // namespace

Review draw_review(Draws& draws) {
  Review review;
  review.by_rule = draws.chance(0.5);
  const Strength* strength = nullptr;
  for (size_t sentences = 1 + draws.weighted(lengths); sentences > 0; --sentences) {
    const Clause sentence = draw_sentence(review.by_rule, draws);
    review.text += (review.text.empty() ? "" : " ") + sentence.text;
    strength = sentence.strength;
  }
  review.positive = review.by_rule != draws.chance(strength->noise);
  review.text = templates().draw("opening", draws) + review.text + templates().draw("closing", draws);
  review.verdict = templates().fill(review.positive ? praising : blaming, draws);
  return review;
}

double best_review_accuracy() {
  double best = 0;
  for (const Strength& strength : strengths) best += strength.share * (1 - strength.noise);
  return best;
}

std::string review_words() {
  std::string words = templates().words() + " and or ";
  for (const std::string& text : {straight, negated, praising, blaming}) words += Templates::words_of(text);
  for (const Frame& frame : frames) words += Templates::words_of(frame.text);
  return words;
}

int64_t longest_review() {
  const Templates& all = templates();
  int64_t clause = 0;
  for (const Strength& strength : strengths)
    for (const bool positive : {false, true})
      for (std::string text : {straight, negated}) {
        const std::string word = str("[", words_of(strength, positive), "]");
        put(text, "[word]", word + " and " + word);
        clause = std::max(clause, all.longest(text));
      }
  int64_t frame = 0;
  for (const Frame& one : frames) {
    std::string text = one.text;
    const bool two = text.find("[a]") != std::string::npos;
    put(text, "[a]", "");
    put(text, "[b]", "");
    frame = std::max(frame, all.longest(text) + (two ? 2 : 1) * clause);
  }
  return all.longest("[opening][closing]") + std::ssize(lengths) * frame;
}

int64_t longest_verdict() { return std::max(templates().longest(praising), templates().longest(blaming)); }

}  // namespace weft
