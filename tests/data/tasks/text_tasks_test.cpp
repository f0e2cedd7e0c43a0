#include <doctest/doctest.h>
#include <weft/data/generators/reviews.h>
#include <weft/data/generators/stories.h>
#include <weft/data/generators/translation.h>
#include <weft/data/tasks/registry.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

using namespace weft;

TEST_CASE("tasks of words share one vocabulary, so that one goes on from another") {
  const auto words = std::dynamic_pointer_cast<const WordTokenizer>(make_task("masked")->tokenizer());
  REQUIRE(words);
  for (const char* name : {"masked-stories", "masked-reviews", "reviews", "spans", "summarize", "sentiment",
                           "translate", "fill", "text-to-text"})
    CHECK(make_task(name)->tokenizer() == words);
  CHECK(words->vocab_size() < 1000);
  CHECK_FALSE(words->has_unknown());
  CHECK_NOTHROW(make_task("translation", {.tokenizer = words})->batch(0, 4));
}

TEST_CASE("reviews are framed and their classes named") {
  const auto task = make_task("reviews");
  CHECK(task->kind() == TaskKind::classification);
  CHECK(task->class_names() == std::vector<std::string>{"negative", "positive"});
  CHECK(task->best_accuracy() == best_review_accuracy());
  const Batch batch = task->batch(0, 500);
  int positive = 0;
  for (int64_t row = 0; row < 500; ++row) {
    const std::string text = task->input_text(batch, row);
    CHECK(text.starts_with("<cls> we <mask> it. "));
    CHECK(text.ends_with(". <sep>"));
    positive += task->target_text(batch, row) == "positive";
  }
  CHECK(std::abs(positive - 250) < 50);
}

TEST_CASE("masked texts are stories, reviews, or both, of their split") {
  for (const Split split : {Split::train, Split::validation})
    for (const char* name : {"masked-stories", "masked-reviews", "masked"}) {
      const auto task = make_task(name, {.split = split});
      const Batch batch = task->batch(0, 60);
      const int64_t T = batch.inputs.dim(1);
      CHECK(T <= task->sizes().longest_input);
      for (int64_t row = 0; row < 60; ++row) {
        std::vector<int64_t> ids;
        int hidden_words = 0;
        for (int64_t t = 1; t + 1 < batch.lengths[static_cast<size_t>(row)]; ++t) {
          const bool hidden = batch.targets.at({row, t}) != Batch::ignored;
          hidden_words += hidden;
          ids.push_back(static_cast<int64_t>((hidden ? batch.targets : batch.inputs).at({row, t})));
        }
        const std::string text = task->tokenizer()->decode(ids);
        const bool story =
            std::string(name) == "masked-stories" || (std::string(name) == "masked" && row % 4 == 0);
        CHECK(hidden_words > 0);
        if (story) CHECK(story_nats(text + "\n").size() == text.size() + 1);
        if (!story) REQUIRE(text.starts_with("we "));
        CHECK(split_of(story ? text + "\n" : text.substr(text.find(" it. ") + 5)) == split);
      }
    }
}

TEST_CASE("the share of masked words is as asked for, and only where words are masked") {
  for (const double share : {0.15, 0.4}) {
    const Batch batch = make_task("masked", {.mask_share = share})->batch(0, 300);
    int64_t words = 0, hidden = 0;
    for (size_t row = 0; row < 300; ++row) words += batch.lengths[row] - 2;
    for (const int64_t target : batch.targets.values<int64_t>()) hidden += target != Batch::ignored;
    CHECK(std::abs(double(hidden) / double(words) - share) < 0.01);
  }
  CHECK_THROWS_AS(make_task("masked", {.mask_share = 0}), ValueError);
  CHECK_THROWS_AS(make_task("masked", {.mask_share = 1}), ValueError);
  CHECK_THROWS_AS(make_task("reviews", {.mask_share = 0.3}), ValueError);
}

TEST_CASE("each prefix asks for what it says") {
  const auto first_of = [](const char* name) {
    const auto task = make_task(name);
    const Batch batch = task->batch(0, 1);
    return std::pair(task->input_text(batch, 0), task->target_text(batch, 0));
  };
  const auto [story, summary] = first_of("summarize");
  REQUIRE(story.starts_with("summarize: In 1"));
  const std::string text = story.substr(11, story.size() - 11 - 5);
  CHECK(read_stories(text + "\n").at(0).summary == summary);
  const auto [review, sense] = first_of("sentiment");
  CHECK(review.starts_with("sentiment: "));
  CHECK((sense == "positive" || sense == "negative"));
  CHECK(make_task("sentiment")->best_accuracy() == best_review_accuracy());
  CHECK(make_task("summarize")->best_accuracy() == 1.0);
  for (const char* guessed : {"spans", "fill", "text-to-text", "masked"})
    CHECK(std::isnan(make_task(guessed)->best_accuracy()));
  const auto [a, b] = first_of("translate");
  CHECK(a.starts_with("translate A to B: "));
  const auto alone = make_task("translation");
  CHECK(b == alone->target_text(alone->batch(0, 1), 0));
  const auto [gaps, spans] = first_of("fill");
  CHECK(gaps.starts_with("fill: In"));
  CHECK(spans.starts_with("<extra_id_0>"));
  CHECK(first_of("spans") == std::pair(gaps.substr(6), spans));
}

TEST_CASE("the mixture is its parts in turn") {
  const auto mixture = make_task("text-to-text");
  const Batch batch = mixture->batch(0, 18);
  std::map<std::string, int64_t> numbers;
  int64_t row = 0;
  for (int time = 0; time < 3; ++time)
    for (const char* name : {"summarize", "sentiment", "translate", "sentiment", "fill", "sentiment"}) {
      const auto part = make_task(name);
      const Batch alone = part->batch(numbers[name]++, 1);
      CHECK(mixture->input_text(batch, row) == part->input_text(alone, 0));
      CHECK(mixture->target_text(batch, row++) == part->target_text(alone, 0));
      CHECK(part->sizes().longest_input <= mixture->sizes().longest_input);
      CHECK(part->sizes().longest_target <= mixture->sizes().longest_target);
    }
}

TEST_CASE("texts are as long as they are") {
  for (const char* name : {"masked", "reviews", "summarize", "translation"})
    CHECK_THROWS_AS(make_task(name, {.max_length = 100}), ValueError);
}
