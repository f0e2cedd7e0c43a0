#include <weft/data/generators/grammar.h>
#include <weft/data/generators/stories.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <numeric>

namespace weft {
namespace {

// Within a class the first letters mostly differ, so that after one letter the rest of a word is certain:
// what is hard is to choose and to remember, as in real text, and not to spell. What is remembered comes up
// again within some sixty characters, so that a model which sees that far can know all that there is to know.
std::vector<Grammar::Slot> slots() {
  const std::vector<std::string> forms = {"name", "she", "her"};
  const std::vector<std::string> names = {"Ada/she/her",  "Ben/he/him",  "Cleo/she/her", "Dan/he/him",
                                          "Emma/she/her", "Finn/he/him", "Gwen/she/her", "Hugo/he/him",
                                          "Kate/she/her", "Leo/he/him",  "Mia/she/her",  "Tom/he/him"};
  const std::vector<std::string> kinds = {"ant", "bear", "cat", "duck", "fox", "goat",
                                          "hen", "mole", "owl", "pig",  "rat", "wolf"};
  return {
      {"hero", forms, names},
      {"friend", forms, names, "hero"},
      {"kind", {"name"}, kinds},
      {"pal", {"name"}, kinds, "kind"},
      {"thing",
       {"name", "used"},
       {"ball/kicked", "drum/beat", "hat/wore", "kite/flew", "lamp/lit", "map/read", "pipe/played",
        "sled/rode", "top/spun"}},
  };
}

std::vector<Grammar::Class> classes() {
  return {
      {"first", {"1", "2", "3", "4", "5", "6", "7", "8", "9"}},
      {"digit", {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}},
      {"tens", {"0", "1", "2", "3", "4", "5"}},
      {"got", {"bought", "found", "had", "made", "won"}},
      {"look",
       {"a blue", "a clean", "a dark", "a fine", "a gold", "a new", "an old", "a red", "a soft", "a tiny",
        "a warm"}},
      {"place", {"barn", "cave", "farm", "hill", "lake", "mill", "pond", "river", "shore", "woods"}},
      {"food", {"apples", "beans", "dates", "eggs", "figs", "grapes", "leeks", "nuts", "pears", "yams"}},
      {"hole", {"bog", "clay", "fern", "grass", "hay", "log", "mud", "pit", "reeds", "sand"}},
      {"note", {"do", "re", "mi", "fa", "so", "la", "ti"}},
      {"went", {"came", "hopped", "limped", "ran", "skipped", "walked"}},
      {"glad", {"glad", "happy", "jolly", "merry", "proud"}},
      {"sad", {"blue", "cross", "low", "sad", "tired"}},
      {"beast",
       {"an ape", "a bee", "a crab", "a dog", "an eel", "a frog", "a gnat", "a hare", "a lark", "a mouse",
        "a newt", "a snail"}},
  };
}

std::vector<Grammar::Rule> rules() {
  return {
      {"start", 1,
       "In 1[digit][digit][digit] {hero!} the {kind!} [got] [look] {thing!}. At [first]:[tens][digit] ",
       "who"},
      {"who", 2, "{hero.she} ", "move"},
      {"who", 1, "{hero} ", "move"},
      {"move", 1, "took the {thing} to the [place]. ", "there"},
      {"move", 1, "{thing.used} it by the [place]. ", "there"},

      {"there", 4, "There {hero.she} met {friend!} the {pal!}. ", "met"},
      {"there", 3, "But {hero.she} lost the {thing} in the [hole]. ", "lost", "lost"},
      {"there", 3, "{Hero.she} ate [first][digit] [food] and sang [note] [note] [note] [note] [note]. ",
       "kept", "ate"},

      {"met", 3, "They ate [first][digit] [food] and sang [note] [note] [note] [note] [note]. ", "kept",
       "shared"},
      {"met", 2, "{Friend} gave {hero.her} [first][digit] [food] for it. ", "kept", "gave"},
      {"met", 2, "{Friend} hid the {thing} in the [hole]. ", "lost", "hid"},

      {"lost", 1, "{Hero.she} looked for it for [first][digit] days and found ", "found"},
      {"found", 1, "it by the [place]. ", "kept"},
      {"found", 1, "only [first][digit] [food]. ", "gone", "only"},
      {"kept", 1, "{Hero.she} [went] home as [glad] as [beast].\n", ""},
      {"gone", 1, "{Hero.she} [went] home as [sad] as [beast].\n", ""},
  };
}

const Grammar& grammar() {
  static const Grammar one(slots(), classes(), rules());
  return one;
}

// Who did what, by the events of the story; {words} are mentions, in the form in which they came up first.
struct Summary {
  std::vector<std::string> events;
  std::string_view text;
};
const std::vector<Summary>& summaries() {
  static const std::vector<Summary> all = {
      {{"ate"}, "{hero} ate {food} alone."},
      {{"shared"}, "{hero} met {friend} and they ate {food}."},
      {{"gave"}, "{hero} gave {friend} the {thing} for {food}."},
      {{"lost"}, "{hero} lost the {thing} and found it."},
      {{"lost", "only"}, "{hero} lost the {thing} and found only {food}."},
      {{"hid"}, "{friend} hid the {thing} and {hero} found it."},
      {{"hid", "only"}, "{friend} hid the {thing} and {hero} found only {food}."},
  };
  return all;
}

std::string summary_of(const Grammar::Derivation& made) {
  std::string_view rest = std::ranges::find(summaries(), made.events, &Summary::events)->text;
  std::string summary;
  while (!rest.empty()) {
    const size_t open = std::min(rest.find('{'), rest.size());
    summary += rest.substr(0, open);
    if (open == rest.size()) break;
    const size_t close = rest.find('}');
    const auto mention =
        std::ranges::find(made.mentions, rest.substr(open + 1, close - open - 1), &Grammar::Mention::name);
    summary += made.text.substr(mention->begin, mention->end - mention->begin);
    rest.remove_prefix(close + 1);
  }
  return summary;
}

// Only the hero is ever she or he.
std::vector<Pronoun> pronouns_of(const Grammar::Derivation& made) {
  std::vector<TextSpan> names;
  std::vector<Pronoun> pronouns;
  for (const Grammar::Mention& mention : made.mentions) {
    if (mention.name != "hero") continue;
    const TextSpan place{mention.begin, mention.end};
    if (mention.form == 0)
      names.push_back(place);
    else
      pronouns.push_back({place, names});
  }
  return pronouns;
}

Story story_of(Grammar::Derivation made) {
  Story story{.text = {},
              .nats = std::move(made.nats),
              .log_probability = made.log_probability,
              .summary = summary_of(made),
              .pronouns = pronouns_of(made)};
  story.text = std::move(made.text);
  return story;
}

[[noreturn]] void fail_parse(size_t at) {
  fail<ValueError>("stories: from character ", at, " on the text is none of whole stories");
}

}  // namespace

Story draw_story(Draws& draws) {
  const auto choose = [&](std::span<const Grammar::Option> options, std::string_view) {
    double left = draws.uniform();
    for (size_t i = 0; i + 1 < options.size(); ++i) {
      left -= options[i].probability;
      if (left < 0) return i;
    }
    return options.size() - 1;
  };
  return story_of(grammar().derive(choose));
}

Story make_story(uint64_t seed, uint64_t index) {
  Draws draws(random_key(seed, stream_id("stories")), index);
  return draw_story(draws);
}

std::string story_words() {
  std::string words = grammar().words();
  for (const Summary& summary : summaries()) {
    bool inside = false;
    for (const char c : summary.text) {
      inside = c == '{' || (inside && c != '}');
      if (!inside && c != '}') words += c;
    }
    words += ' ';
  }
  return words;
}

TextSpan tokens_of(const Tokenizer& tokenizer, std::string_view text, TextSpan span) {
  if (span.begin > span.end || span.end > text.size())
    fail<ValueError>("tokens_of: [", span.begin, ", ", span.end, ") is not within the ", text.size(),
                     " bytes of the text");
  return {tokenizer.encode(text.substr(0, span.begin)).size(),
          tokenizer.encode(text.substr(0, span.end)).size()};
}

StoryStatistics story_statistics() {
  const Grammar::Statistics average = grammar().statistics();
  return {.entropy = average.nats,
          .characters = average.characters,
          .entropy_rate = average.nats / average.characters};
}

double Stories::nats_from(int64_t first) const {
  if (first < 0 || first > static_cast<int64_t>(nats.size()))
    fail<ValueError>("Stories: character ", first, " of ", nats.size());
  return std::accumulate(nats.begin() + first, nats.end(), 0.0);
}

Stories generate_stories(int64_t bytes, uint64_t seed) {
  if (bytes < 0) fail<ValueError>("stories: bytes must be at least 0, not ", bytes);
  Stories all;
  while (static_cast<int64_t>(all.text.size()) < bytes) {
    const Story story = make_story(seed, static_cast<uint64_t>(all.stories++));
    all.text += story.text;
    all.nats.insert(all.nats.end(), story.nats.begin(), story.nats.end());
    all.total_nats -= story.log_probability;
  }
  return all;
}

std::vector<Story> read_stories(std::string_view text) {
  std::vector<Story> stories;
  for (size_t read = 0; read < text.size();) {
    const std::string_view rest = text.substr(read);
    const auto check = [&](std::string_view written) {
      const auto same = static_cast<size_t>(std::ranges::mismatch(written, rest).in1 - written.begin());
      if (same < written.size()) fail_parse(read + same);
    };
    const auto find = [&](std::span<const Grammar::Option> options, std::string_view written) {
      check(written);
      const std::string_view next = rest.substr(written.size());
      const auto found =
          std::ranges::find_if(options, [&](const auto& option) { return next.starts_with(option.text); });
      if (found == options.end()) fail_parse(read + written.size());
      return static_cast<size_t>(found - options.begin());
    };
    stories.push_back(story_of(grammar().derive(find)));
    check(stories.back().text);
    read += stories.back().text.size();
  }
  return stories;
}

std::vector<double> story_nats(std::string_view text) {
  std::vector<double> nats;
  for (const Story& story : read_stories(text)) nats.insert(nats.end(), story.nats.begin(), story.nats.end());
  return nats;
}

}  // namespace weft
