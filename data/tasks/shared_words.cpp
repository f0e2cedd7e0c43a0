#include <weft/data/reviews.h>
#include <weft/data/stories.h>
#include <weft/data/tasks/shared_words.h>
#include <weft/data/translation.h>

namespace weft {

const std::shared_ptr<const WordTokenizer>& shared_words() {
  static const auto all = std::make_shared<const WordTokenizer>(WordTokenizer::of(
      story_words() + " " + review_words() + " " + words_of_language_a() + " " + words_of_language_b() +
      " summarize: sentiment: translate A to B: fill: positive negative"));
  return all;
}

}  // namespace weft
