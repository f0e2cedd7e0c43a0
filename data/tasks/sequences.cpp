#include <weft/data/tasks/registry.h>
#include <weft/data/tasks/token_task.h>
#include <weft/lib/base/error.h>

#include <algorithm>

namespace weft {
namespace {

constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz";
constexpr int64_t longest_by_default = 16;
constexpr int64_t most_symbols = 100'000;

std::shared_ptr<const WordTokenizer> letters() {
  std::vector<std::string> pieces;
  for (const char letter : alphabet) pieces.push_back({' ', letter});
  return std::make_shared<WordTokenizer>(std::move(pieces));
}

// Letters are written back as they came, backwards, or in the order of the alphabet.
class SequenceTask : public TokenTask {
 public:
  SequenceTask(const std::string& name, const TaskOptions& options)
      : TokenTask(name, options, tokenizer_for(name, options, letters())),
        shortest_(options.min_length == 0 ? 1 : options.min_length),
        longest_(options.max_length == 0 ? std::max(longest_by_default, shortest_) : options.max_length) {
    if (shortest_ < 1 || longest_ < shortest_ || longest_ > most_symbols)
      fail<ValueError>(name, ": needs 1 <= min_length <= max_length <= ", most_symbols, ", not ", shortest_,
                       " and ", longest_);
  }

  TaskKind kind() const override { return TaskKind::pairs; }
  TaskSizes sizes() const override { return {.longest_input = longest_ + 1, .longest_target = longest_ + 1}; }
  std::vector<std::string> scores() const override { return {"exact_match"}; }

  Sample sample(uint64_t index) const override {
    const auto make = [&](Draws& draws) {
      std::string text;
      for (int64_t left = draws.between(shortest_, longest_); left > 0; --left)
        text.append({alphabet[draws.below(alphabet.size())], ' '});
      return text;
    };
    const auto itself = [](const std::string& text) { return text; };
    Sample one{with_end(draw_in(options().split, options().seed, name(), index, make, itself)), {}};
    one.target = one.input;
    if (name() == "reverse") std::reverse(one.target.begin(), one.target.end() - 1);
    if (name() == "sort") std::sort(one.target.begin(), one.target.end() - 1);
    return one;
  }

 private:
  int64_t shortest_;
  int64_t longest_;
};

}  // namespace

TaskPointer make_sequence_task(const std::string& name, const TaskOptions& options) {
  return std::make_shared<SequenceTask>(name, options);
}

}  // namespace weft
