#include <weft/data/generators/translation.h>

#include <algorithm>
#include <set>
#include <vector>

namespace weft {
namespace {

constexpr size_t genders = 3, numbers = 2, tenses = 2;

struct Noun {
  std::string a;
  std::string b;
  size_t gender;  // in B
};
struct Word {
  std::string a;
  std::string b;
};

const std::vector<Noun> nouns = {
    {"balo", "kresh", 0}, {"dimu", "ulvar", 2}, {"feso", "trint", 1}, {"gani", "oskal", 1},
    {"holu", "brend", 0}, {"jeka", "irmos", 2}, {"kabi", "plusk", 1}, {"lomu", "ender", 0},
    {"mesi", "grolt", 2}, {"nuka", "astin", 0}, {"pilo", "drusk", 2}, {"rame", "ophel", 1},
    {"sudi", "klern", 0}, {"tofa", "uskim", 1}, {"vine", "storb", 2}, {"wabu", "ilgar", 0},
    {"yomi", "frand", 1}, {"zelu", "otrek", 2}, {"bemo", "skirl", 2}, {"dasu", "ambor", 0},
    {"figa", "threm", 1}, {"goni", "ustel", 2}, {"hemu", "prolk", 0}, {"jolo", "ervin", 1}};
const std::vector<Word> adjectives = {{"bari", "olm"},  {"deko", "stir"}, {"fumi", "ark"},  {"gelo", "brun"},
                                      {"kisa", "plen"}, {"lotu", "ish"},  {"mavo", "dren"}, {"peni", "urg"},
                                      {"saku", "flor"}, {"timo", "eld"}};
const std::vector<Word> verbs = {{"bik", "gresh"}, {"dor", "ulk"},  {"fan", "strem"}, {"gul", "orb"},
                                 {"hes", "plint"}, {"kam", "ansk"}, {"lir", "dront"}, {"mot", "isk"},
                                 {"pes", "vrolm"}, {"tud", "erst"}};
const std::vector<Word> prepositions = {{"ni", "shal"}, {"po", "shem"}, {"ru", "shon"}};

// In A by number; in B by gender and number.
const std::string article_a[2][numbers] = {{"lo", "la"}, {"un", "una"}};
const std::string article_b[2][genders][numbers] = {{{"ket", "keti"}, {"kas", "kasi"}, {"kun", "kuni"}},
                                                    {{"vet", "veti"}, {"vas", "vasi"}, {"vun", "vuni"}}};
const std::string ending_b[genders][numbers] = {{"o", "oni"}, {"a", "ani"}, {"u", "uni"}};
const std::string verb_ending_a[tenses][numbers] = {{"a", "an"}, {"i", "in"}};
const std::string verb_ending_b[genders][numbers] = {{"et", "eti"}, {"as", "asi"}, {"un", "umi"}};
const std::string tense_b[tenses] = {"dza", "dzo"};

std::string noun_a(const Noun& noun, size_t number) { return noun.a + (number == 0 ? "" : "n"); }
std::string noun_b(const Noun& noun, size_t number) { return noun.b + (number == 0 ? "" : "en"); }

struct Phrase {
  const Noun* noun;
  size_t number;
  size_t article;
  std::vector<const Word*> adjectives;

  std::string a() const {
    std::string text = article_a[article][number];
    for (const Word* adjective : adjectives) text += " " + adjective->a;
    return text + " " + noun_a(*noun, number);
  }
  std::string b() const {
    std::string text = noun_b(*noun, number);
    for (auto adjective = adjectives.rbegin(); adjective != adjectives.rend(); ++adjective)
      text += " " + (*adjective)->b + ending_b[noun->gender][number];
    return text + " " + article_b[article][noun->gender][number];
  }
};

Phrase draw_phrase(Draws& draws) {
  Phrase phrase{.noun = &draws.one_of(nouns),
                .number = draws.below(numbers),
                .article = draws.below(2),
                .adjectives = {}};
  const size_t count = draws.weighted({0.4, 0.4, 0.2});
  while (phrase.adjectives.size() < count) {
    const Word* adjective = &draws.one_of(adjectives);
    if (std::ranges::find(phrase.adjectives, adjective) == phrase.adjectives.end())
      phrase.adjectives.push_back(adjective);
  }
  return phrase;
}

std::string join(const std::set<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace

SentencePair draw_sentence_pair(Draws& draws) {
  const Phrase subject = draw_phrase(draws), object = draw_phrase(draws);
  const Word& verb = draws.one_of(verbs);
  const size_t tense = draws.below(tenses);
  SentencePair pair;
  pair.a = subject.a() + " " + verb.a + verb_ending_a[tense][subject.number] + " " + object.a();
  pair.b = subject.b() + " " + object.b() + " " + verb.b +
           verb_ending_b[subject.noun->gender][subject.number] + " " + tense_b[tense];
  if (!draws.chance(0.4)) return pair;
  const Word& preposition = draws.one_of(prepositions);
  const Noun& noun = draws.one_of(nouns);
  const size_t number = draws.below(numbers), article = draws.below(2);
  pair.a += " " + preposition.a + " " + article_a[article][number] + " " + noun_a(noun, number);
  pair.b = article_b[article][noun.gender][number] + " " + noun_b(noun, number) + " " + preposition.b + " " +
           pair.b;
  return pair;
}

const std::string& words_of_language_a() {
  static const std::string all = [] {
    std::set<std::string> words;
    for (const auto& articles : article_a) words.insert(articles, articles + numbers);
    for (const Word& preposition : prepositions) words.insert(preposition.a);
    for (const Word& adjective : adjectives) words.insert(adjective.a);
    for (size_t number = 0; number < numbers; ++number) {
      for (const Noun& noun : nouns) words.insert(noun_a(noun, number));
      for (const Word& verb : verbs)
        for (const auto& endings : verb_ending_a) words.insert(verb.a + endings[number]);
    }
    return join(words);
  }();
  return all;
}

const std::string& words_of_language_b() {
  static const std::string all = [] {
    std::set<std::string> words(tense_b, tense_b + tenses);
    for (const Word& preposition : prepositions) words.insert(preposition.b);
    for (size_t number = 0; number < numbers; ++number) {
      for (const Noun& noun : nouns) words.insert(noun_b(noun, number));
      for (size_t gender = 0; gender < genders; ++gender) {
        for (const auto& articles : article_b) words.insert(articles[gender][number]);
        for (const Word& adjective : adjectives) words.insert(adjective.b + ending_b[gender][number]);
        for (const Word& verb : verbs) words.insert(verb.b + verb_ending_b[gender][number]);
      }
    }
    return join(words);
  }();
  return all;
}

}  // namespace weft
