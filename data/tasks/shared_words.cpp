#include <weft/data/generators/reviews.h>
#include <weft/data/generators/stories.h>
#include <weft/data/generators/translation.h>
#include <weft/data/tasks/shared_words_internal.h>

namespace weft {

const std::shared_ptr<const WordTokenizer>& shared_words() {
  static const auto all = std::make_shared<const WordTokenizer>(WordTokenizer::of(
      story_words() + " " + review_words() + " " + words_of_language_a() + " " + words_of_language_b() +
      " summarize: sentiment: translate A to B: fill: positive negative"));
  return all;
}

}  // namespace weft
