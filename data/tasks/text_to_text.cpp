#include <weft/data/generators/reviews.h>
#include <weft/data/generators/stories.h>
#include <weft/data/generators/translation.h>
#include <weft/data/tasks/masking.h>
#include <weft/data/tasks/shared_words_internal.h>
#include <weft/data/tasks/registry.h>
#include <weft/data/tasks/token_task.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <limits>

namespace weft {
namespace {

struct Texts {
  std::string input;
  std::string target;
};

// The kinds of text that a mixture is made of.
enum class Kind { summary, sentiment, translation, fill, spans };

struct Mixture {
  std::string name;
  std::vector<Kind> kinds;  // in turn
  std::vector<std::string> scores;
};
const std::vector<Mixture>& mixtures() {
  static const std::vector<Mixture> all = {
      {"spans", {Kind::spans}, {"perplexity", "exact_match"}},
      {"summarize", {Kind::summary}, {"exact_match", "bleu", "chrf"}},
      {"sentiment", {Kind::sentiment}, {"exact_match"}},
      {"translate", {Kind::translation}, {"exact_match", "bleu", "chrf"}},
      {"fill", {Kind::fill}, {"exact_match", "bleu"}},
      {"text-to-text",
       // Sentiment thrice: it takes as many samples as the others together.
       {Kind::summary, Kind::sentiment, Kind::translation, Kind::sentiment, Kind::fill, Kind::sentiment},
       {"exact_match", "bleu"}}};
  return all;
}

const SpanOptions span_options = {.first_sentinel = WordTokenizer::first_sentinel,
                                  .sentinels = WordTokenizer::sentinels};

class TextToTextTask : public TokenTask {
 public:
  TextToTextTask(const std::string& name, const TaskOptions& options)
      : TokenTask(name, options, tokenizer_for(name, options, shared_words())),
        mixture_(*std::ranges::find(mixtures(), name, &Mixture::name)) {
    refuse_lengths();
  }

  TaskKind kind() const override { return TaskKind::pairs; }
  TaskSizes sizes() const override {
    TaskSizes sizes;
    for (const Kind kind : mixture_.kinds) {
      const TaskSizes one = sizes_of(kind);
      sizes.longest_input = std::max(sizes.longest_input, one.longest_input);
      sizes.longest_target = std::max(sizes.longest_target, one.longest_target);
    }
    return sizes;
  }
  std::vector<std::string> scores() const override { return mixture_.scores; }
  double best_accuracy() const override {
    double sum = 0;
    for (const Kind kind : mixture_.kinds) {
      if (kind == Kind::fill || kind == Kind::spans) return std::numeric_limits<double>::quiet_NaN();
      sum += kind == Kind::sentiment ? best_review_accuracy() : 1.0;
    }
    return sum / static_cast<double>(mixture_.kinds.size());
  }

  Sample sample(uint64_t index) const override {
    const auto& kinds = mixture_.kinds;
    const auto place = static_cast<std::ptrdiff_t>(index % kinds.size());
    const Kind kind = kinds[static_cast<size_t>(place)];
    const auto before = static_cast<uint64_t>(std::count(kinds.begin(), kinds.begin() + place, kind));
    const auto all = static_cast<uint64_t>(std::ranges::count(kinds, kind));
    const uint64_t number = index / kinds.size() * all + before;
    if (kind == Kind::fill || kind == Kind::spans)
      return corrupted(kind == Kind::fill ? "fill:" : "", number);
    const Texts texts = kind == Kind::summary     ? summary(number)
                        : kind == Kind::sentiment ? sentiment(number)
                                                  : translation(number);
    return {with_end(texts.input), with_end(texts.target)};
  }

 private:
  static TaskSizes sizes_of(Kind kind) {
    constexpr int64_t prefix = 2, end = 1;
    switch (kind) {
      case Kind::summary:
        return {.longest_input = prefix + longest_story + end, .longest_target = longest_summary + end};
      case Kind::sentiment:
        return {.longest_input = prefix + longest_review() + end, .longest_target = 1 + end};
      case Kind::translation:
        return {.longest_input = 5 + longest_sentence_a + end, .longest_target = longest_sentence_b + end};
      case Kind::fill:
      case Kind::spans:
        break;
    }
    const auto [hidden, spans] = count_spans(longest_story, span_options);
    return {.longest_input = (kind == Kind::fill ? prefix : 0) + longest_story - hidden + spans + end,
            .longest_target = hidden + spans + 1 + end};
  }

  template <class Draw, class Content>
  auto draw(const char* stream, uint64_t number, Draw one, Content content) const {
    return draw_in(options().split, options().seed, stream, number, one, content);
  }
  Story story(uint64_t number) const { return draw("stories", number, draw_story, &Story::text); }
  Texts summary(uint64_t number) const {
    const Story one = story(number);
    return {"summarize: " + one.text, one.summary};
  }
  Texts sentiment(uint64_t number) const {
    const Review one = draw("reviews", number, draw_review, &Review::text);
    return {"sentiment: " + one.text, one.positive ? "positive" : "negative"};
  }
  Texts translation(uint64_t number) const {
    const SentencePair one = draw("translation", number, draw_sentence_pair, &SentencePair::a);
    return {"translate A to B: " + one.a, one.b};
  }
  Sample corrupted(const char* prefix, uint64_t number) const {
    Draws draws(random_key(options().seed, stream_id("data.spans")), number);
    const CorruptedSpans made = corrupt_spans(tokenizer()->encode(story(number).text), span_options, draws);
    Sample one{tokenizer()->encode(prefix), made.target};
    one.input.insert(one.input.end(), made.input.begin(), made.input.end());
    one.input.push_back(end_id());
    one.target.push_back(end_id());
    return one;
  }

  const Mixture& mixture_;
};

}  // namespace

TaskPointer make_text_to_text_task(const std::string& name, const TaskOptions& options) {
  return std::make_shared<TextToTextTask>(name, options);
}

}  // namespace weft
