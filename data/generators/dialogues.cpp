#include <weft/data/generators/dialogue_words_internal.h>
#include <weft/data/generators/dialogues.h>

#include <algorithm>
#include <optional>
#include <set>

namespace weft {
namespace {

using namespace dialogue;

enum class Kind { go, get, count, feel, deal };
constexpr int64_t kinds = 5;

/// Numbers in the lists of words: who, did which, to what; and what else is told: the colour (or none), how many.
struct Fact {
  Kind kind = Kind::go;
  size_t person = 0, verb = 0, object = 0;
  std::optional<size_t> more = {};
};

/// What of a fact is asked for: what it says of a person, the person, or the colour of the thing.
enum class Asked { what, who, colour };
struct Question {
  Asked asked = Asked::what;
  Fact fact;
};

size_t of(const auto& all, Draws& draws) { return draws.below(all.size()); }

size_t draw_verb(Kind kind, Draws& draws) {
  switch (kind) {
    case Kind::go:
      return 0;
    case Kind::get:
      return of(got, draws);
    case Kind::count:
      return of(counted, draws);
    case Kind::feel:
      return of(feelings, draws);
    case Kind::deal:
      return of(dealt, draws);
  }
  return 0;
}

size_t draw_object(const Fact& fact, const std::vector<size_t>& cast, Draws& draws) {
  switch (fact.kind) {
    case Kind::go:
      return of(places, draws);
    case Kind::get:
      return of(things, draws);
    case Kind::count:
      return of(fruits, draws);
    case Kind::feel:
      return fact.verb / 4 * 12 + draws.below(12);
    case Kind::deal:
      break;
  }
  size_t other = fact.person;
  while (other == fact.person) other = draws.one_of(cast);
  return other;
}

Fact draw_fact(Kind kind, size_t person, const std::vector<size_t>& cast, Draws& draws) {
  Fact fact{.kind = kind, .person = person, .verb = draw_verb(kind, draws)};
  fact.object = draw_object(fact, cast, draws);
  if (kind == Kind::get && draws.chance(0.7)) fact.more = of(colours, draws);
  if (kind == Kind::count) fact.more = of(numbers, draws);
  return fact;
}

/// Whether a question about one may be answered by the other.
bool alike(const Fact& a, const Fact& b) {
  if (a.kind != b.kind) return false;
  return a.kind == Kind::feel || a.kind == Kind::deal ? a.verb == b.verb : a.object == b.object;
}

const std::string& pronoun(size_t person) {
  static const Words all = {"she", "he"};
  return all[person % 2];
}
bool same_pronoun(size_t a, size_t b) { return a % 2 == b % 2; }

std::string capital(std::string text) {
  text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

struct Told {
  std::vector<size_t> cast;
  std::vector<Fact> facts;
  std::string text;
};

std::string sentence(const Fact& fact, const std::string& subject, Draws& draws) {
  const std::string begin = subject + " ";
  switch (fact.kind) {
    case Kind::go:
      return begin + draws.one_of(went) + " to the " + places[fact.object] + ".";
    case Kind::get:
      return begin + got[fact.verb].past + " a " + (fact.more ? colours[*fact.more] + " " : "") +
             things[fact.object] + ".";
    case Kind::count:
      return begin + counted[fact.verb].past + " " + numbers[*fact.more] + " " + fruits[fact.object] + ".";
    case Kind::feel:
      return begin + "was " + feelings[fact.verb] + " because " + pronoun(fact.person) + " had " +
             reasons[fact.object] + ".";
    case Kind::deal:
      return begin + dealt[fact.verb].past + " " + names[fact.object] + ".";
  }
  return {};
}

Told draw_told(Draws& draws) {
  Told told;
  const int64_t persons = draws.between(2, 3), facts = draws.between(3, 5);
  while (std::ssize(told.cast) < persons)
    if (const size_t one = of(names, draws); std::ranges::find(told.cast, one) == told.cast.end())
      told.cast.push_back(one);
  // Each person has a fact at least, and none of one kind twice.
  std::vector<std::vector<int64_t>> chosen;
  do {
    chosen.assign(static_cast<size_t>(persons), {});
    for (const int64_t one : draws.subset(persons * kinds, facts))
      chosen[static_cast<size_t>(one / kinds)].push_back(one % kinds);
  } while (std::ranges::any_of(chosen, [](const auto& some) { return some.empty(); }));

  told.text = draws.one_of(openings);
  for (size_t person = 0; person < chosen.size(); ++person) {
    std::vector<int64_t>& left = chosen[person];
    const size_t name = told.cast[person];
    for (bool first = true, clear = true; !left.empty(); first = false) {
      const auto next = left.begin() + static_cast<std::ptrdiff_t>(of(left, draws));
      Fact fact;
      do fact = draw_fact(static_cast<Kind>(*next), name, told.cast, draws);
      while (std::ranges::any_of(told.facts, [&](const Fact& other) { return alike(fact, other); }));
      left.erase(next);
      const bool then = !first && draws.chance(0.2), short_form = !first && clear && draws.chance(0.7);
      const std::string subject = !short_form ? names[name] : then ? pronoun(name) : capital(pronoun(name));
      if (!told.facts.empty()) told.text += " ";
      told.text += (then ? "Then " : "") + sentence(fact, subject, draws);
      clear = fact.kind != Kind::deal || !same_pronoun(fact.object, name);
      told.facts.push_back(fact);
    }
  }
  return told;
}

/// The fact that answers.
const Fact* find(const Told& told, const Question& question) {
  const Fact& asked = question.fact;
  const auto answers = [&](const Fact& fact) {
    if (fact.kind != asked.kind) return false;
    const bool object = fact.object == asked.object, verb = fact.verb == asked.verb;
    if (question.asked == Asked::colour) return object && fact.more.has_value();
    if (question.asked == Asked::who) return verb && (object || fact.kind == Kind::feel);
    return fact.person == asked.person && verb && (object || fact.kind != Kind::count);
  };
  const auto found = std::ranges::find_if(told.facts, answers);
  return found == told.facts.end() ? nullptr : &*found;
}

/// By name, or, where the question goes on from the turn before, by she, he and it.
std::string asked_of(const Question& question, bool goes_on = false) {
  const Fact& fact = question.fact;
  if (question.asked == Asked::colour)
    return "What colour was " + (goes_on ? "it" : "the " + things[fact.object]) + "?";
  const std::string& person = goes_on ? pronoun(fact.person) : names[fact.person];
  const bool who = question.asked == Asked::who;
  switch (fact.kind) {
    case Kind::go:
      return who ? "Who went to the " + places[fact.object] + "?" : "Where did " + person + " go?";
    case Kind::get:
      return who ? "Who " + got[fact.verb].past + " the " + things[fact.object] + "?"
                 : "What did " + person + " " + got[fact.verb].now + "?";
    case Kind::count:
      return who ? "Who " + counted[fact.verb].past + " " + fruits[fact.object] + "?"
                 : "How many " + fruits[fact.object] + " did " + person + " " + counted[fact.verb].now + "?";
    case Kind::feel:
      return who ? "Who was " + feelings[fact.verb] + "?"
                 : "Why was " + person + " " + feelings[fact.verb] + "?";
    case Kind::deal:
      return who ? "Who " + dealt[fact.verb].past + " " + names[fact.object] + "?"
                 : "Who did " + person + " " + dealt[fact.verb].now + "?";
  }
  return {};
}

std::string answer_of(Asked asked, const Fact* fact) {
  if (!fact) return "I don't know.";
  const std::string& name = names[fact->person];
  if (asked == Asked::who) return "It was " + name + ".";
  if (asked == Asked::colour) return "The " + things[fact->object] + " was " + colours[*fact->more] + ".";
  switch (fact->kind) {
    case Kind::go:
      return name + " went to the " + places[fact->object] + ".";
    case Kind::get:
      return name + " " + got[fact->verb].past + " a " + things[fact->object] + ".";
    case Kind::count:
      return name + " " + counted[fact->verb].past + " " + numbers[*fact->more] + " " + fruits[fact->object] +
             ".";
    case Kind::feel:
      return "Because " + pronoun(fact->person) + " had " + reasons[fact->object] + ".";
    case Kind::deal:
      return name + " " + dealt[fact->verb].past + " " + names[fact->object] + ".";
  }
  return {};
}

/// Whom and what a turn, question and answer, is about.
struct Topic {
  std::set<size_t> persons = {};
  std::optional<size_t> thing = {};
  std::optional<Question> again = {};  ///< what "And Ben?" would ask about him
};
Topic topic_of(const Question& question, const Fact* answer) {
  Topic topic;
  const Fact& fact = question.fact;
  const bool what = question.asked == Asked::what, who = question.asked == Asked::who;
  if (what) topic.persons.insert(fact.person);
  if (who && answer) topic.persons.insert(answer->person);
  if (fact.kind == Kind::deal && who) topic.persons.insert(fact.object);
  if (fact.kind == Kind::deal && what && answer) topic.persons.insert(answer->object);
  if (fact.kind == Kind::get && !what) topic.thing = fact.object;
  if (fact.kind == Kind::get && what && answer) topic.thing = answer->object;
  if (what && (fact.kind == Kind::go || fact.kind == Kind::get || fact.kind == Kind::deal))
    topic.again = question;
  return topic;
}

/// A question about a fact, or, changed in one thing, about none.
Question draw_question(const Told& told, const Topic& before, Draws& draws) {
  Question question;
  std::vector<Fact> near;  // what the turn before leads to
  for (const Fact& fact : told.facts)
    if (before.persons.contains(fact.person)) near.push_back(fact);
  question.fact = draws.one_of(!near.empty() && draws.chance(0.75) ? near : told.facts);
  const Kind kind = question.fact.kind;
  if (kind == Kind::get && draws.chance(0.3))
    question.asked = Asked::colour;
  else if (draws.chance(0.25))
    question.asked = Asked::who;
  if (draws.chance(0.85)) return question;
  for (Question other = question;; other = question) {
    const Fact drawn = draw_fact(kind, of(names, draws), told.cast, draws);
    const size_t change = draws.below(4);
    if (change == 0) other.fact.person = drawn.person;
    if (change == 1) other.fact.person = draws.one_of(told.cast);
    if (change == 2) other.fact.verb = drawn.verb;
    if (change == 3) other.fact.object = drawn.object;
    if (!find(told, other)) return other;
  }
}

bool only_one(const Topic& topic, size_t person) {
  return topic.persons.contains(person) &&
         std::ranges::count_if(topic.persons, [&](size_t other) { return same_pronoun(person, other); }) == 1;
}

}  // namespace

Dialogue draw_dialogue(Draws& draws) {
  const Told told = draw_told(draws);
  Dialogue dialogue{.turns = {}, .story = told.text};
  const bool by_system = draws.chance(0.5);
  if (by_system) dialogue.turns.push_back({"system", told.text});

  std::set<std::string> asked;
  Topic before;
  for (int64_t left = draws.between(3, 6); left > 0;) {
    Question question;
    std::string said;
    if (before.again && draws.chance(0.2)) {
      question = *before.again;
      question.fact.person = draws.one_of(told.cast);
      said = "And " + names[question.fact.person] + "?";
    } else {
      question = draw_question(told, before, draws);
      const bool person = question.asked == Asked::what && only_one(before, question.fact.person);
      const bool thing = question.asked == Asked::colour && before.thing == question.fact.object;
      const bool goes_on = (person || thing) && draws.chance(0.8);
      said = asked_of(question, goes_on);
      if (goes_on && draws.chance(0.7)) {
        said[0] = static_cast<char>(said[0] - 'A' + 'a');
        said = "And " + said;
      }
    }
    if (!asked.insert(asked_of(question)).second) continue;
    const Fact* const answer = find(told, question);
    const bool tells = dialogue.turns.empty();
    dialogue.turns.push_back({"user", tells ? told.text + " " + said : said});
    dialogue.turns.push_back({"assistant", answer_of(question.asked, answer)});
    before = topic_of(question, answer);
    --left;
  }
  return dialogue;
}

Dialogue make_dialogue(Split split, uint64_t seed, uint64_t number) {
  return draw_in(split, seed, "dialogues", number, draw_dialogue, &Dialogue::story);
}

}  // namespace weft
