#include <doctest/doctest.h>
#include <weft/data/stories.h>
#include <weft/lib/error.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <regex>
#include <set>

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
  CHECK(characters / count == doctest::Approx(wanted.characters).epsilon(0.005));
  CHECK(nats / characters == doctest::Approx(wanted.entropy_rate).epsilon(0.005));
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
    CHECK(met[letter] == doctest::Approx(std::exp(-nats[letter])).epsilon(0.2));
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
