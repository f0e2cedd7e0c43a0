#include <doctest/doctest.h>
#include <weft/data/generators/stories.h>
#include <weft/data/text/word_tokenizer.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <regex>
#include <set>
#include <sstream>

using namespace weft;

TEST_CASE("the text of a story alone gives its choices and its probability back") {
  std::set<std::string> texts;
  for (uint64_t index = 0; index < 5000; ++index) {
    const Story story = make_story(11, index);
    REQUIRE(story.text.ends_with('\n'));
    CHECK(story.text.find('\n') == story.text.size() - 1);
    const std::vector<double> found = story_nats(story.text);
    CHECK(found == story.nats);
    CHECK(std::accumulate(found.begin(), found.end(), 0.0) ==
          doctest::Approx(-story.log_probability).epsilon(1e-12));
    CHECK(*std::min_element(found.begin(), found.end()) >= 0);
    texts.insert(story.text);
  }
  CHECK(texts.size() > 4990);
}

TEST_CASE("a story is a function of seed and index") {
  CHECK(make_story(3, 7).text == make_story(3, 7).text);
  CHECK(make_story(3, 7).text != make_story(3, 8).text);
  CHECK(make_story(3, 7).text != make_story(4, 7).text);
}

TEST_CASE("the entropy rate is what many stories show") {
  const StoryStatistics wanted = story_statistics();
  double nats = 0, squares = 0, characters = 0;
  constexpr int count = 40000;
  for (uint64_t index = 0; index < count; ++index) {
    const Story story = make_story(5, index);
    nats -= story.log_probability;
    squares += story.log_probability * story.log_probability;
    characters += static_cast<double>(story.text.size());
  }
  const double error = std::sqrt((squares / count - nats / count * nats / count) / count);
  CHECK(std::abs(nats / count - wanted.entropy) < 4 * error);
  CHECK(characters / count == doctest::Approx(wanted.characters).scale(0).epsilon(0.005));
  CHECK(nats / characters == doctest::Approx(wanted.entropy_rate).scale(0).epsilon(0.005));
  CHECK(wanted.entropy_rate == wanted.entropy / wanted.characters);
}

TEST_CASE("each first letter of a name is as frequent as its nats say") {
  constexpr int count = 20000;
  std::vector<double> met(256, 0), nats(256, 0);
  for (uint64_t index = 0; index < count; ++index) {
    const Story story = make_story(9, index);
    const size_t place = std::string_view("In 1965 ").size();
    const auto letter = static_cast<uint8_t>(story.text[place]);
    met[letter] += 1.0 / count;
    nats[letter] = story.nats[place];
  }
  double sum = 0;
  for (size_t letter = 0; letter < 256; ++letter) {
    if (met[letter] == 0) continue;
    CHECK(met[letter] == doctest::Approx(std::exp(-nats[letter])).scale(0).epsilon(0.2));
    sum += std::exp(-nats[letter]);
  }
  CHECK(sum == doctest::Approx(1));
}

TEST_CASE("stories fill the bytes asked for, whole, and any part of them can be weighed") {
  CHECK(generate_stories(0, 1).text.empty());
  CHECK(generate_stories(1, 1).stories == 1);
  const Stories some = generate_stories(20000, 1);
  CHECK(some.text.size() >= 20000);
  CHECK(some.text.size() < 20000 + 500);
  CHECK(some.text.substr(0, 5000) == generate_stories(6000, 1).text.substr(0, 5000));
  REQUIRE(some.nats.size() == some.text.size());
  CHECK(story_nats(some.text) == some.nats);
  CHECK(some.nats_from(0) == doctest::Approx(some.total_nats).epsilon(1e-12));
  CHECK(some.nats_from(static_cast<int64_t>(some.text.size())) == 0);
  const int64_t cut = 18003;
  CHECK(some.nats_from(cut) ==
        doctest::Approx(some.total_nats - std::accumulate(some.nats.begin(), some.nats.begin() + cut, 0.0)));
  CHECK_THROWS_AS(generate_stories(-1, 1), ValueError);
  CHECK_THROWS_AS(some.nats_from(-1), ValueError);
  CHECK_THROWS_AS(some.nats_from(static_cast<int64_t>(some.text.size()) + 1), ValueError);
}

TEST_CASE("what is remembered agrees to the end") {
  const std::set<std::string> women = {"Ada", "Cleo", "Emma", "Gwen", "Kate", "Mia"};
  const std::set<std::string> sad = {"blue", "cross", "low", "sad", "tired"};
  const std::regex opening(
      "In 1[0-9]{3} ([A-Z][a-z]+) the [a-z]+ [a-z]+ an? [a-z]+ ([a-z]+)\\. At [0-9:]+ (she|he|[A-Z][a-z]+) ");
  const std::regex closing("(She|He) [a-z]+ home as ([a-z]+) as an? [a-z]+\\.\n$");
  const std::regex telling("(?:took|lost|hid) the ([a-z]+)");
  int told = 0;
  for (uint64_t index = 0; index < 1000; ++index) {
    const std::string text = make_story(2, index).text;
    std::smatch first, last;
    REQUIRE(std::regex_search(text, first, opening));
    REQUIRE(std::regex_search(text, last, closing));
    const bool woman = women.contains(first[1]);
    CHECK((first[3] == (woman ? "she" : "he") || first[3] == first[1]));
    CHECK(last[1] == (woman ? "She" : "He"));
    CHECK(sad.contains(last[2]) == (text.find("found only") != std::string::npos));
    for (std::sregex_iterator at(text.begin(), text.end(), telling), end; at != end; ++at, ++told)
      CHECK((*at)[1] == first[2]);
  }
  CHECK(told > 700);
}

TEST_CASE("text that is no story is refused where it leaves the grammar") {
  CHECK(story_nats("").empty());
  const std::string story = make_story(1, 1).text;
  CHECK_THROWS_AS(story_nats(story.substr(0, story.size() - 1)), ValueError);
  CHECK_THROWS_AS(story_nats(story + "x"), ValueError);
  for (size_t at = 0; at < story.size(); ++at) {
    std::string changed = story;
    changed[at] = '#';
    CHECK_THROWS_AS(story_nats(changed), ValueError);
    if (at > 0) CHECK_THROWS_AS(story_nats(story + story.substr(0, at)), ValueError);
  }
  CHECK_THROWS_WITH_AS(
      story_nats(story + "Zzz"),
      ("stories: from character " + std::to_string(story.size()) + " on the text is none of whole stories")
          .c_str(),
      ValueError);
}

TEST_CASE("the summary of a story follows from it") {
  const std::vector<std::pair<std::string, std::regex>> kinds = {
      {"There s?he met .* They ate", std::regex("[A-Z][a-z]+ met [A-Z][a-z]+ and they ate [a-z]+\\.")},
      {" gave (her|him) ", std::regex("[A-Z][a-z]+ gave [A-Z][a-z]+ the [a-z]+ for [a-z]+\\.")},
      {"But s?he lost .* found it", std::regex("[A-Z][a-z]+ lost the [a-z]+ and found it\\.")},
      {"But s?he lost .* found only", std::regex("[A-Z][a-z]+ lost the [a-z]+ and found only [a-z]+\\.")},
      {" hid .* found it", std::regex("[A-Z][a-z]+ hid the [a-z]+ and [A-Z][a-z]+ found it\\.")},
      {" hid .* found only", std::regex("[A-Z][a-z]+ hid the [a-z]+ and [A-Z][a-z]+ found only [a-z]+\\.")},
      {"\\. S?[Hh]e ate", std::regex("[A-Z][a-z]+ ate [a-z]+ alone\\.")}};
  std::vector<int> met(kinds.size(), 0);
  for (uint64_t index = 0; index < 2000; ++index) {
    const Story story = make_story(4, index);
    int fits = 0;
    for (size_t kind = 0; kind < kinds.size(); ++kind) {
      if (!std::regex_search(story.text, std::regex(kinds[kind].first))) continue;
      CHECK(std::regex_match(story.summary, kinds[kind].second));
      ++met[kind];
      ++fits;
    }
    CHECK(fits == 1);
    std::istringstream words(story.summary.substr(0, story.summary.size() - 1));
    for (std::string word; words >> word;)
      if (!std::set<std::string>{"met", "and", "they", "gave", "for", "alone"}.contains(word))
        CHECK(story.text.find(word) != std::string::npos);
  }
  for (const int count : met) CHECK(count > 40);
  const Story story = make_story(4, 1), again = read_stories(story.text).at(0);
  CHECK(again.summary == story.summary);
}

TEST_CASE("a pronoun knows the names before it") {
  const std::set<std::string> women = {"Ada", "Cleo", "Emma", "Gwen", "Kate", "Mia"};
  const std::set<std::string> pronouns = {"she", "She", "her", "he", "He", "him"};
  const WordTokenizer words = WordTokenizer::of(story_words());
  CHECK_THROWS_AS(tokens_of(words, "a", {1, 2}), ValueError);
  CHECK_THROWS_AS(tokens_of(words, "a", {1, 0}), ValueError);
  const auto said = [](const Story& story, TextSpan span) {
    return story.text.substr(span.begin, span.end - span.begin);
  };
  for (uint64_t index = 0; index < 1000; ++index) {
    const Story story = make_story(6, index);
    const std::regex word("\\b([Ss]he|her|[Hh]e|him)\\b");
    const auto found = std::distance(std::sregex_iterator(story.text.begin(), story.text.end(), word), {});
    CHECK(static_cast<size_t>(found) == story.pronouns.size());
    for (const Pronoun& pronoun : story.pronouns) {
      const std::string text = said(story, pronoun.place);
      CHECK(pronouns.contains(text));
      REQUIRE_FALSE(pronoun.names.empty());
      const auto of = [&](const Tokenizer& tokenizer, TextSpan span) {
        const TextSpan tokens = tokens_of(tokenizer, story.text, span);
        const std::vector<int64_t> ids = tokenizer.encode(story.text);
        const std::span all(ids);
        return tokenizer.decode(all.subspan(tokens.begin, tokens.end - tokens.begin));
      };
      CHECK(of(words, pronoun.place) == text);
      CHECK(of(ByteTokenizer(), pronoun.names[0]) == said(story, pronoun.names[0]));
      const std::string name = said(story, pronoun.names[0]);
      for (const TextSpan& one : pronoun.names) {
        CHECK(said(story, one) == name);
        CHECK(one.end <= pronoun.place.begin);
      }
      CHECK(women.contains(name) == (text == "she" || text == "She" || text == "her"));
    }
  }
}

TEST_CASE("the words of stories are all there and no others") {
  const WordTokenizer words = WordTokenizer::of(story_words());
  std::set<int64_t> met;
  size_t longest = 0, longest_of_summaries = 0;
  for (uint64_t index = 0; index < 4000; ++index) {
    const Story story = make_story(8, index);
    longest = std::max(longest, words.encode(story.text).size());
    longest_of_summaries = std::max(longest_of_summaries, words.encode(story.summary).size());
    for (const std::string& text : {story.text, story.summary}) {
      const std::vector<int64_t> ids = words.encode(text);
      met.insert(ids.begin(), ids.end());
    }
    std::string line = words.decode(words.encode(story.text));
    CHECK(line + "\n" == story.text);
  }
  CHECK(longest == longest_story);
  CHECK(longest_of_summaries == longest_summary);
  for (size_t piece = 0; piece < words.pieces().size(); ++piece) {
    CAPTURE(words.pieces()[piece]);
    CHECK(met.contains(WordTokenizer::first_word + static_cast<int64_t>(piece)));
  }
}
