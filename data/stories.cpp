#include <weft/data/grammar.h>
#include <weft/data/stories.h>
#include <weft/lib/error.h>
#include <weft/lib/random.h>

#include <algorithm>
#include <numeric>

namespace weft {
namespace {

// Within a class the first letters mostly differ, so that after one letter the rest of a word is certain:
// what is hard is to choose and to remember, as in real text, and not to spell.
std::vector<Grammar::Slot> slots() {
  const std::vector<std::string> name_forms = {"name", "she", "her"};
  const std::vector<std::string> names = {"Ada/she/her",  "Ben/he/him",  "Cleo/she/her", "Dan/he/him",
                                          "Emma/she/her", "Finn/he/him", "Gwen/she/her", "Hugo/he/him",
                                          "Ida/she/her",  "Jack/he/him", "Kate/she/her", "Leo/he/him",
                                          "Mia/she/her",  "Ned/he/him",  "Olga/she/her", "Pip/he/him",
                                          "Rosa/she/her", "Sam/he/him",  "Tom/he/him",   "Vera/she/her"};
  const std::vector<std::string> kinds = {"ant", "bear", "cat",  "duck", "elk",  "fox",  "goat",
                                          "hen", "ibis", "jay",  "lamb", "mole", "newt", "owl",
                                          "pig", "rat",  "seal", "toad", "vole", "wolf"};
  return {
      {"hero", name_forms, names},
      {"friend", name_forms, names, "hero"},
      {"kind", {"name"}, kinds},
      {"pal", {"name"}, kinds, "kind"},
      {"look",
       {"new", "plain"},
       {"an amber/amber", "a blue/blue", "a clean/clean", "a dark/dark", "a fine/fine", "a gold/gold",
        "a huge/huge", "an iron/iron", "a little/little", "a neat/neat", "an old/old", "a pink/pink",
        "a red/red", "a soft/soft", "a tiny/tiny", "a warm/warm"}},
      {"thing",
       {"name", "used"},
       {"ball/kicked", "cup/filled", "drum/beat", "fan/waved", "hat/wore", "jar/shook", "kite/flew",
        "lamp/lit", "map/read", "net/cast", "pipe/played", "quilt/shared", "ring/rubbed", "sled/rode",
        "top/spun", "wand/swung"}},
      {"place",
       {"name"},
       {"arch", "barn", "cave", "dunes", "farm", "gate", "hill", "inn", "lake", "mill", "oak", "pond",
        "river", "shore", "tower", "woods"}},
  };
}

std::vector<Grammar::Class> classes() {
  return {
      {"when",
       {"At dawn", "At noon", "By night", "In May", "In June", "In fall", "One day", "Once", "Soon", "Then",
        "Today", "Later"}},
      {"mood",
       {"bold",  "calm",  "dizzy", "eager", "fat",   "glad", "happy", "idle", "jolly", "keen", "lazy",
        "merry", "noisy", "odd",   "proud", "quick", "rude", "shy",   "tidy", "vain",  "wise", "young"}},
      {"got", {"bought", "drew", "found", "had", "made", "won"}},
      {"many", {"two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}},
      {"taste",
       {"big", "cold", "dry", "fresh", "green", "hot", "juicy", "large", "mild", "raw", "sweet", "tart"}},
      {"food",
       {"apples", "beans", "cakes", "dates", "eggs", "figs", "grapes", "leeks", "nuts", "olives", "pears",
        "rolls", "yams"}},
      {"hole",
       {"ash", "bog", "clay", "dust", "fern", "grass", "hay", "ice", "log", "mud", "nest", "pit", "reeds",
        "sand", "weeds"}},
      {"went", {"came", "flew", "hopped", "limped", "marched", "ran", "skipped", "walked"}},
  };
}

std::vector<Grammar::Rule> rules() {
  return {
      {"start", 1, "{hero!} the [mood] {kind!} [got] {look!} {thing!}. ", "move"},
      {"move", 1, "[when] {hero.she} ", "moved"},
      {"moved", 5, "took it to the {place!}. ", "there"},
      {"moved", 3, "{thing.used} it by the {place!}. ", "there"},

      {"there", 4, "There {hero.she} met {friend!} the [mood] {pal!}. ", "met"},
      {"there", 3, "But {hero.she} lost it in the [hole]. ", "lost"},
      {"there", 3, "{Hero.she} ate [many] [taste] [food] and [many] [taste] [food]. ", "kept"},

      {"met", 3, "They ate [many] [taste] [food] and {thing.used} the {thing}. ", "kept"},
      {"met", 2, "{Friend} gave {hero.her} [many] [taste] [food] for it. ", "sold"},
      {"met", 2, "{Friend} hid it in the [hole]. ", "lost"},

      {"lost", 1, "{Hero} looked for [many] days and found [many] [taste] [food], ", "found"},
      {"found", 1, "but no {thing}.\n", ""},
      {"found", 1, "and then the {look.plain} {thing}.\n", ""},
      {"kept", 1, "{Hero} [went] home with the {look.plain} {thing}.\n", ""},
      {"sold", 1, "{Hero} [went] home with no {thing}.\n", ""},
  };
}

const Grammar& grammar() {
  static const Grammar one(slots(), classes(), rules());
  return one;
}

}  // namespace

Story make_story(uint64_t seed, uint64_t index) {
  const RandomKey key = random_key(seed, stream_id("stories"));
  uint64_t draw = 0;
  const auto choose = [&](std::span<const Grammar::Option> options, size_t) {
    double left = uniform_at(key, index, draw++);
    for (size_t i = 0; i + 1 < options.size(); ++i) {
      left -= options[i].probability;
      if (left < 0) return i;
    }
    return options.size() - 1;
  };
  Grammar::Derivation made = grammar().derive(choose);
  return {
      .text = std::move(made.text), .nats = std::move(made.nats), .log_probability = made.log_probability};
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

std::vector<double> story_nats(std::string_view text) {
  std::vector<double> nats;
  const auto refuse = [&](size_t at) {
    fail<ValueError>("stories: from character ", at, " on the text is none of whole stories");
  };
  while (nats.size() < text.size()) {
    const size_t begin = nats.size();
    const auto find = [&](std::span<const Grammar::Option> options, size_t at) {
      const std::string_view rest = text.substr(std::min(begin + at, text.size()));
      const auto found =
          std::ranges::find_if(options, [&](const auto& option) { return rest.starts_with(option.text); });
      if (found == options.end()) refuse(begin + at);
      return static_cast<size_t>(found - options.begin());
    };
    const Grammar::Derivation story = grammar().derive(find);
    const auto same = std::ranges::mismatch(story.text, text.substr(begin)).in1 - story.text.begin();
    if (static_cast<size_t>(same) < story.text.size()) refuse(begin + static_cast<size_t>(same));
    nats.insert(nats.end(), story.nats.begin(), story.nats.end());
  }
  return nats;
}

}  // namespace weft
