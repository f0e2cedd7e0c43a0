#include <doctest/doctest.h>
#include <weft/data/generators/dialogues.h>

#include <algorithm>
#include <map>
#include <set>

#include "data/generators/words.h"

using namespace weft;
using test::words_of;

namespace {

const std::string unknown = "I don't know.";

const std::map<std::string, std::string> past = {
    {"buy", "bought"},      {"find", "found"},  {"make", "made"},     {"paint", "painted"},
    {"eat", "ate"},         {"pick", "picked"}, {"sell", "sold"},     {"wash", "washed"},
    {"help", "helped"},     {"call", "called"}, {"thank", "thanked"}, {"visit", "visited"},
    {"follow", "followed"}, {"tease", "teased"}};
const std::set<std::string> women = {"Ada", "Cleo", "Emma", "Gwen", "Ines", "Kate",
                                     "Mia", "Nora", "Ruth", "Tess", "Uma",  "Zoe"};
const std::set<std::string> men = {"Ben", "Dan",  "Finn", "Hugo", "Jack", "Leo",
                                   "Max", "Otto", "Paul", "Sam",  "Tom",  "Will"};
bool is_name(const std::string& word) { return women.contains(word) || men.contains(word); }
std::string pronoun_of(const std::string& name) { return women.contains(name) ? "she" : "he"; }

std::string lower(std::string text) {
  text[0] = static_cast<char>(std::tolower(text[0]));
  return text;
}

/// What a story says, by reading its sentences one after another.
struct Reading {
  std::map<std::string, std::string> went;  // who: where
  std::map<std::pair<std::string, std::string>, std::string> did,
      why;                                                // (who, verb or feeling): what, reason
  std::map<std::string, std::string> colour;              // thing
  std::map<std::vector<std::string>, std::string> count;  // (who, verb, fruits): how many
  std::map<std::string, std::string> who;                 // "went to the mill", "was sad", ...
  std::set<std::string> persons;

  explicit Reading(const std::string& story);
  void sentence(std::vector<std::string> words);
  void only(const std::string& what, const std::string& name) { REQUIRE(who.emplace(what, name).second); }

 private:
  std::string subject_;
  std::set<std::string> near_;  // named in the sentence before
};

Reading::Reading(const std::string& story) {
  std::vector<std::string> words;
  for (std::string word : words_of(story)) {
    const bool last = word.ends_with('.');
    if (last) word.pop_back();
    words.push_back(word);
    if (last) {
      sentence(std::move(words));
      words.clear();
    }
  }
  REQUIRE(words.empty());
}

void Reading::sentence(std::vector<std::string> words) {
  const auto subject = std::ranges::find_if(words, [](const std::string& word) {
    return is_name(word) || word == "She" || word == "He" || word == "she" || word == "he";
  });
  words.erase(words.begin(), subject);
  REQUIRE(words.size() >= 3);
  std::string name = words[0];
  if (!is_name(name)) {
    name = lower(name);
    REQUIRE(pronoun_of(subject_) == name);
    for (const std::string& other : near_) CHECK((other == subject_ || pronoun_of(other) != name));
    name = subject_;
  }
  subject_ = name;
  near_ = {name};
  persons.insert(name);
  const std::string& verb = words[1];
  if (words[2] == "to") {
    REQUIRE(words.size() == 5);
    REQUIRE(went.emplace(name, words[4]).second);
    only("went to the " + words[4], name);
  } else if (verb == "was") {
    REQUIRE(words[3] == "because");
    REQUIRE(words[4] == pronoun_of(name));
    std::string reason;
    for (size_t i = 6; i < words.size(); ++i) reason += " " + words[i];
    why[{name, words[2]}] = "Because " + words[4] + " had" + reason + ".";
    only("was " + words[2], name);
  } else if (is_name(words[2])) {
    persons.insert(words[2]);
    near_.insert(words[2]);
    did[{name, verb}] = words[2];
    only(verb + " " + words[2], name);
  } else if (words[2] == "a") {
    did[{name, verb}] = "a " + words.back();
    if (words.size() == 5) colour[words.back()] = words[3];
    only(verb + " the " + words.back(), name);
  } else {
    count[{name, verb, words[3]}] = words[2];
    only(verb + " " + words[3], name);
  }
}

/// Asks a reading, and remembers the turn before.
class Reader {
 public:
  explicit Reader(const std::string& story) : story_(story) {}
  std::string answer(std::string question) {
    kind = "";
    if (question.starts_with("And ")) question = question.substr(4);
    question.pop_back();
    std::vector<std::string> words = words_of(question);
    if (!is_name(words[0])) words[0] = lower(words[0]);
    went_on = false;
    if (words.size() == 1) {  // And Ben?
      went_on = true;
      const std::string name = words[0];
      words = before_;
      words[place_of_name(words)] = name;
    }
    for (std::string& word : words) resolve(word);
    if (words[0] == "what" && words[1] == "colour" && words[3] == "it") {
      went_on = true;
      words = {"what", "colour", "was", "the", thing_};
    }
    const std::string said = ask(words);
    before_ = words;
    persons_.clear();
    for (const std::string& word : words)
      if (is_name(word)) persons_.insert(word);
    std::string plain = said.substr(0, said.size() - 1);
    for (const std::string& word : words_of(plain))
      if (is_name(word)) persons_.insert(word);
    thing_.clear();
    if (words[1] == "colour") thing_ = words[4];
    if (words[0] == "who" && words[2] == "the") thing_ = words[3];
    if (words[0] == "what" && words[1] == "did" && said != unknown) thing_ = words_of(plain).back();
    return said;
  }
  std::string kind;      // the question's first word, "colour" or "whom"
  bool went_on = false;  // from the turn before

 private:
  static size_t place_of_name(const std::vector<std::string>& words) {
    const auto found = std::ranges::find_if(words, is_name);
    REQUIRE(found != words.end());
    return static_cast<size_t>(found - words.begin());
  }
  void resolve(std::string& word) {
    if (word != "she" && word != "he") return;
    went_on = true;
    std::vector<std::string> fitting;
    for (const std::string& name : persons_)
      if (pronoun_of(name) == word) fitting.push_back(name);
    REQUIRE(fitting.size() == 1);
    word = fitting[0];
  }
  template <class Map>
  static std::string get(const Map& map, const typename Map::key_type& key) {
    const auto found = map.find(key);
    return found == map.end() ? "" : found->second;
  }
  std::string ask(const std::vector<std::string>& w) {
    kind = w[0];
    std::string found;
    if (w[0] == "where") {
      found = get(story_.went, w[2]);
      return found.empty() ? unknown : w[2] + " went to the " + found + ".";
    }
    if (w[0] == "how") {
      const std::string& verb = past.at(w[5]);
      found = get(story_.count, {w[4], verb, w[2]});
      return found.empty() ? unknown : w[4] + " " + verb + " " + found + " " + w[2] + ".";
    }
    if (w[0] == "why") {
      found = get(story_.why, {w[2], w[3]});
      return found.empty() ? unknown : found;
    }
    if (w[1] == "colour") {
      kind = "colour";
      found = get(story_.colour, w[4]);
      return found.empty() ? unknown : "The " + w[4] + " was " + found + ".";
    }
    if (w[1] == "did") {  // what, whom
      if (w[0] == "who") kind = "whom";
      const std::string& verb = past.at(w[3]);
      found = get(story_.did, {w[2], verb});
      return found.empty() ? unknown : w[2] + " " + verb + " " + found + ".";
    }
    std::string what;
    for (size_t i = 1; i < w.size(); ++i) what += (i == 1 ? "" : " ") + w[i];
    found = get(story_.who, what);
    return found.empty() ? unknown : "It was " + found + ".";
  }

  Reading story_;
  std::vector<std::string> before_;
  std::set<std::string> persons_;
  std::string thing_;
};

/// The user's question of a turn, without the story.
std::string question_of(const Dialogue& dialogue, const std::string& text) {
  return text.starts_with(dialogue.story + " ") ? text.substr(dialogue.story.size() + 1) : text;
}

}  // namespace

TEST_CASE("whoever reads the story and the turns before gives each answer") {
  for (const Split split : {Split::train, Split::validation})
    for (uint64_t number = 0; number < 3000; ++number) {
      const Dialogue dialogue = make_dialogue(split, 3, number);
      CAPTURE(dialogue.story);
      Reader reader(dialogue.story);
      const auto turns = std::span(dialogue.turns).subspan(dialogue.turns[0].role == "system");
      for (size_t i = 0; i < turns.size(); i += 2) {
        const std::string question = question_of(dialogue, turns[i].text);
        CAPTURE(question);
        CHECK(reader.answer(question) == turns[i + 1].text);
      }
    }
}

TEST_CASE("roles take turns, and the story is told once, before it is asked about") {
  int by_system = 0, questions = 0;
  std::map<size_t, int> lengths;
  constexpr int count = 4000;
  for (uint64_t number = 0; number < count; ++number) {
    const Dialogue dialogue = make_dialogue(Split::train, 4, number);
    REQUIRE(dialogue.turns.size() >= 6);
    const bool system = dialogue.turns[0].role == "system";
    by_system += system;
    CHECK((system ? dialogue.turns[0].text == dialogue.story
                  : dialogue.turns[0].text.starts_with(dialogue.story + " ")));
    for (size_t i = system; i < dialogue.turns.size(); ++i) {
      CHECK(dialogue.turns[i].role == ((i - system) % 2 == 0 ? "user" : "assistant"));
      if (i > 0) CHECK(dialogue.turns[i].text.find(dialogue.story) == std::string::npos);
    }
    ++lengths[(dialogue.turns.size() - system) / 2];
    questions += static_cast<int>((dialogue.turns.size() - system) / 2);
  }
  CHECK(std::abs(by_system / double{count} - 0.5) < 0.03);
  CHECK(std::abs(questions / double{count} - 4.5) < 0.1);
  CHECK(lengths.size() == 4);
}

TEST_CASE("every kind of question comes up, many go on from the turn before, some have no answer") {
  std::map<std::string, int> kinds, unanswered;
  int all = 0, open = 0, went_on = 0, chains = 0;
  for (uint64_t number = 0; number < 5000; ++number) {
    const Dialogue dialogue = make_dialogue(Split::train, 5, number);
    Reader reader(dialogue.story);
    const auto turns = std::span(dialogue.turns).subspan(dialogue.turns[0].role == "system");
    bool before = false;
    for (size_t i = 0; i < turns.size(); i += 2) {
      const std::string said = reader.answer(question_of(dialogue, turns[i].text));
      const std::string kind = reader.kind;
      ++all;
      ++kinds[kind];
      unanswered[kind] += said == unknown;
      open += said == unknown;
      CHECK((i > 0 || !reader.went_on));
      went_on += reader.went_on;
      chains += reader.went_on && before;
      before = reader.went_on;
    }
  }
  const std::map<std::string, std::pair<double, double>> wanted = {
      {"where", {0.1, 0.25}},   {"how", {0.1, 0.25}},  {"why", {0.1, 0.25}}, {"what", {0.08, 0.25}},
      {"colour", {0.04, 0.15}}, {"whom", {0.1, 0.25}}, {"who", {0.15, 0.35}}};
  CHECK(kinds.size() == wanted.size());
  for (const auto& [kind, between] : wanted) {
    CAPTURE(kind);
    CHECK(kinds[kind] > between.first * all);
    CHECK(kinds[kind] < between.second * all);
    CHECK(unanswered[kind] > 0.08 * kinds[kind]);
    CHECK(unanswered[kind] < 0.5 * kinds[kind]);
  }
  CHECK(std::abs(open / double(all) - 0.23) < 0.05);
  CHECK(went_on > 0.2 * all);
  CHECK(went_on < 0.5 * all);
  CHECK(chains > 0.05 * all);
}

TEST_CASE("no story that validates is one to train on, and hardly any comes twice") {
  std::set<std::string> train, validation;
  constexpr int count = 20000;
  for (uint64_t number = 0; number < count; ++number)
    train.insert(make_dialogue(Split::train, 1, number).story);
  for (uint64_t number = 0; number < count / 10; ++number)
    validation.insert(make_dialogue(Split::validation, 2, number).story);
  CHECK(train.size() == count);
  CHECK(validation.size() == count / 10);
  for (const std::string& story : validation) {
    CHECK_FALSE(train.contains(story));
    CHECK(split_of(story) == Split::validation);
  }
}

TEST_CASE("a dialogue is a function of split, seed and number, and known ones stay as they are") {
  const auto told = [](Split split, uint64_t seed, uint64_t number) {
    std::string all;
    for (const Dialogue::Turn& turn : make_dialogue(split, seed, number).turns)
      all += turn.role[0] + (": " + turn.text) + "\n";
    return all;
  };
  CHECK(told(Split::train, 1, 2) == told(Split::train, 1, 2));
  CHECK(told(Split::train, 1, 2) != told(Split::train, 1, 3));
  CHECK(told(Split::train, 1, 2) != told(Split::train, 2, 2));
  CHECK(told(Split::train, 1, 2) != told(Split::validation, 1, 2));
  CHECK(told(Split::train, 1, 1) ==
        "s: Finn painted a yellow mask. Finn ate four olives. He walked to the lake. Then Finn was happy "
        "because he had seen a swan. Tom ate five lemons.\n"
        "u: Why was Finn happy?\na: Because he had seen a swan.\n"
        "u: Where did Finn go?\na: Finn went to the lake.\n"
        "u: How many pears did he eat?\na: I don't know.\n"
        "u: Where did Tom go?\na: I don't know.\n"
        "u: Who went to the lake?\na: It was Finn.\n");
  CHECK(told(Split::validation, 1, 0) ==
        "s: Last week Will went to the church. Will made a red basket. Will visited Mia. Mia followed Will.\n"
        "u: What did Will make?\na: Will made a basket.\n"
        "u: And where did he go?\na: Will went to the church.\n"
        "u: Who went to the church?\na: It was Will.\n"
        "u: And who did he visit?\na: Will visited Mia.\n"
        "u: And Mia?\na: I don't know.\n"
        "u: Who visited Will?\na: I don't know.\n");
}
