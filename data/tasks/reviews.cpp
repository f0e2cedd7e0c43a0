#include <weft/data/generators/reviews.h>
#include <weft/data/tasks/shared_words_internal.h>
#include <weft/data/tasks/registry.h>
#include <weft/data/tasks/token_task.h>

namespace weft {
namespace {

// <cls> we <mask> it. review <sep>: is it positive? The verdict is there and hidden, which makes of the
// question one that finding masked words has prepared for (Schick and Schuetze 2021).
class ReviewTask : public TokenTask {
 public:
  ReviewTask(const std::string& name, const TaskOptions& options)
      : TokenTask(name, options, tokenizer_for(name, options, shared_words()), {"negative", "positive"}) {
    refuse_lengths();
  }

  TaskKind kind() const override { return TaskKind::classification; }
  TaskSizes sizes() const override { return {.longest_input = longest_verdict() + longest_review() + 2}; }
  std::vector<std::string> scores() const override { return {"accuracy", "f1"}; }
  double best_accuracy() const override { return best_review_accuracy(); }

  Sample sample(uint64_t index) const override {
    const Review review =
        draw_in(options().split, options().seed, "reviews", index, draw_review, &Review::text);
    std::vector<int64_t> ids = framed(review.verdict + review.text);
    ids[2] = WordTokenizer::mask;
    return {std::move(ids), {review.positive ? 1 : 0}};
  }
};

}  // namespace

TaskPointer make_review_task(const std::string& name, const TaskOptions& options) {
  return std::make_shared<ReviewTask>(name, options);
}

}  // namespace weft
