#include <weft/data/generators/reviews.h>
#include <weft/data/generators/stories.h>
#include <weft/data/tasks/masking.h>
#include <weft/data/tasks/shared_words_internal.h>
#include <weft/data/tasks/registry.h>
#include <weft/data/tasks/token_task.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <limits>

namespace weft {
namespace {

// <cls> text <sep> of stories, reviews, or three reviews after each story; some words are masked.
class MaskedTask : public TokenTask {
 public:
  MaskedTask(const std::string& name, const TaskOptions& options)
      : TokenTask(name, options, tokenizer_for(name, options, shared_words())),
        stories_(name != "masked-reviews"),
        reviews_(name != "masked-stories") {
    refuse_lengths();
    if (!(options.mask_share > 0 && options.mask_share < 1))
      fail<ValueError>(name, ": mask_share must lie between 0 and 1, not ", options.mask_share);
  }

  TaskKind kind() const override { return TaskKind::masked; }
  TaskSizes sizes() const override {
    const int64_t longest =
        std::max(stories_ ? longest_story : 0, reviews_ ? longest_review() + longest_verdict() : 0);
    return {.longest_input = longest + 2};
  }
  std::vector<std::string> scores() const override { return {"perplexity", "accuracy"}; }
  double best_accuracy() const override { return std::numeric_limits<double>::quiet_NaN(); }

  Sample sample(uint64_t index) const override {
    const bool story = stories_ && (!reviews_ || index % 4 == 0);
    Sample one{framed(story ? story_text(index) : review_text(index)), {}};
    Draws draws(random_key(options().seed, stream_id("data.masks")), index);
    one.target = mask_tokens(one.input,
                             {.mask_id = WordTokenizer::mask,
                              .first_word = WordTokenizer::first_word,
                              .vocab_size = tokenizer()->vocab_size(),
                              .share = options().mask_share},
                             draws);
    return one;
  }

 private:
  std::string story_text(uint64_t index) const {
    return draw_in(options().split, options().seed, "stories", index, draw_story, &Story::text).text;
  }
  std::string review_text(uint64_t index) const {
    const Review review =
        draw_in(options().split, options().seed, "reviews", index, draw_review, &Review::text);
    return review.verdict + review.text;
  }

  bool stories_;
  bool reviews_;
};

}  // namespace

TaskPointer make_masked_task(const std::string& name, const TaskOptions& options) {
  return std::make_shared<MaskedTask>(name, options);
}

}  // namespace weft
