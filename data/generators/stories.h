// Small English stories from a probabilistic grammar, and exactly how probable each character of them is.
//
// A story is a walk through the grammar: at each place it chooses one of a few texts, none of which begins
// another, so the text alone says which was chosen. Every story therefore has exactly one derivation, its
// probability is the product of its choices, and no model of characters can do better on average than their
// entropy.
//
//   Mia the fox had a red kite. One day she took it to the river. ...
#pragma once

#include <weft/data/generators/draws.h>
#include <weft/data/text/tokenizer.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// A place in a text, in bytes: [begin, end).
struct TextSpan {
  size_t begin = 0;
  size_t end = 0;
};
/// "she", "him", ... and every place before it that gives the name of who that is, the nearest last.
struct Pronoun {
  TextSpan place;
  std::vector<TextSpan> names;
};

/// One story, a line that ends with '\n'.
struct Story {
  std::string text;
  std::vector<double>
      nats;  ///< -log p of each character given all before it; their sum is -log p of the story
  double log_probability = 0;  ///< of the story, in nats
  std::string summary;         ///< who did what, in one sentence: "Mia lost the kite and found it."
  std::vector<Pronoun> pronouns;
};
/// The story of those draws.
Story draw_story(Draws& draws);
/// Story number `index` of the stream `seed`: a function of the two.
Story make_story(uint64_t seed, uint64_t index);

/// Every word of stories and summaries, separated by spaces, and the most pieces (data/word_tokenizer.h) of
/// one.
std::string story_words();
inline constexpr int64_t longest_story = 65;
inline constexpr int64_t longest_summary = 10;

/// Which of the tokens of a text, [begin, end), write the characters of `span`: words or characters whole.
TextSpan tokens_of(const Tokenizer& tokenizer, std::string_view text, TextSpan span);

/// What the grammar gives on average, computed exactly.
struct StoryStatistics {
  double entropy = 0;       ///< nats a story
  double characters = 0;    ///< a story, its '\n' included
  double entropy_rate = 0;  ///< nats a character: the loss of the best model of long text
};
StoryStatistics story_statistics();

/// Whole stories of one stream, one after another, until at least `bytes` bytes are written (none for 0).
struct Stories {
  std::string text;
  int64_t stories = 0;
  std::vector<double> nats;  ///< -log p of each character given all before it
  double total_nats = 0;     ///< -log p of the whole text

  /// -log p of the characters from `first` on, given those before it.
  double nats_from(int64_t first) const;
};
/// ValueError when `bytes` is negative.
Stories generate_stories(int64_t bytes, uint64_t seed);

/// Whole stories one after another, recovered from the text alone. ValueError with the offset where the text
/// stops being of this grammar.
std::vector<Story> read_stories(std::string_view text);
/// -log p of each character of whole stories given all before it.
std::vector<double> story_nats(std::string_view text);

}  // namespace weft
