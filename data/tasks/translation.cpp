#include <weft/data/generators/translation.h>
#include <weft/data/tasks/registry.h>
#include <weft/data/tasks/token_task.h>

namespace weft {
namespace {

std::shared_ptr<const WordTokenizer> words_of_both() {
  return std::make_shared<WordTokenizer>(
      WordTokenizer::of(words_of_language_a() + " " + words_of_language_b()));
}

class TranslationTask : public TokenTask {
 public:
  TranslationTask(const std::string& name, const TaskOptions& options)
      : TokenTask(name, options, tokenizer_for(name, options, words_of_both())) {
    refuse_lengths();
  }

  TaskKind kind() const override { return TaskKind::pairs; }
  TaskSizes sizes() const override {
    return {.longest_input = longest_sentence_a + 1, .longest_target = longest_sentence_b + 1};
  }
  std::vector<std::string> scores() const override { return {"exact_match", "bleu", "chrf"}; }

  Sample sample(uint64_t index) const override {
    const SentencePair pair = draw_in(options().split, options().seed, "translation", index,
                                      draw_sentence_pair, [](const SentencePair& one) { return one.a; });
    return {with_end(pair.a), with_end(pair.b)};
  }
};

}  // namespace

TaskPointer make_translation_task(const std::string& name, const TaskOptions& options) {
  return std::make_shared<TranslationTask>(name, options);
}

}  // namespace weft
