#include <weft/data/tasks/registry.h>
#include <weft/data/tasks/token_task.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <numeric>

namespace weft {
namespace {

constexpr int64_t keys = 16, values = 16, fillers = 26;
constexpr int64_t most_items = 12;
constexpr int64_t nearest_by_default = 8, farthest_by_default = 512, farthest_of_all = 100'000;
constexpr int64_t room = 16;  // beyond the longest distance, so that items do not all stand at the beginning

// Ids: keys, then values, fillers, and the mark of a question.
constexpr int64_t first_key = WordTokenizer::first_word, first_value = first_key + keys,
                  first_filler = first_value + values, question = first_filler + fillers;

std::shared_ptr<const WordTokenizer> symbols() {
  std::vector<std::string> pieces;
  const auto add = [&](const std::string& before, int64_t count) {
    for (int64_t i = 0; i < count; ++i) pieces.push_back(before + static_cast<char>('a' + i));
  };
  add(" key", keys);
  add(" value", values);
  add(" ", fillers);
  pieces.push_back("?");
  return std::make_shared<WordTokenizer>(std::move(pieces));
}

// Items "keyc valuef" among letters; later "? keyc" asks, and the target at that place is valuef, which also
// comes next. It lies as many tokens back as the distance says: from min_length to max_length, each octave as
// likely.
class RecallTask : public TokenTask {
 public:
  RecallTask(const std::string& name, const TaskOptions& options)
      : TokenTask(name, options, tokenizer_for(name, options, symbols())),
        nearest_(options.min_length == 0 ? nearest_by_default : options.min_length),
        farthest_(options.max_length == 0 ? std::max(farthest_by_default, nearest_) : options.max_length) {
    if (nearest_ < 2 || farthest_ < nearest_ || farthest_ > farthest_of_all)
      fail<ValueError>(name, ": needs 2 <= min_length <= max_length <= ", farthest_of_all, ", not ", nearest_,
                       " and ", farthest_);
    if (options.tokenizer && options.tokenizer->pieces() != symbols()->pieces())
      fail<ValueError>(name, ": the tokenizer must be that of a model of this task");
  }

  TaskKind kind() const override { return TaskKind::language; }
  TaskSizes sizes() const override { return {.longest_input = length(), .longest_target = length()}; }
  std::vector<std::string> scores() const override { return {"accuracy"}; }

  Sample sample(uint64_t index) const override {
    return draw_in(
        options().split, options().seed, name(), index, [&](Draws& draws) { return draw(draws); },
        [&](const Sample& one) { return tokenizer()->decode(one.input); });
  }

 private:
  int64_t length() const { return farthest_ + room; }

  int64_t draw_distance(Draws& draws) const {
    std::vector<int64_t> begins = {nearest_};
    while (4 * begins.back() <= farthest_) begins.push_back(2 * begins.back());
    const int64_t begin = draws.one_of(begins);
    return draws.between(begin, begin == begins.back() ? farthest_ : 2 * begin - 1);
  }

  Sample draw(Draws& draws) const {
    Sample one;
    for (int64_t place = 0; place < length(); ++place)
      one.input.push_back(draws.between(first_filler, first_filler + fillers - 1));
    one.target.assign(one.input.size(), Batch::ignored);
    std::vector<bool> taken(one.input.size(), false);
    std::vector<int64_t> left(keys);
    std::iota(left.begin(), left.end(), first_key);
    for (int64_t tries = std::min(most_items, 2 + length() / 16); tries > 0; --tries)
      put_item(draws, one, taken, left);
    return one;
  }

  // Nothing where there is something already; the first item always finds its place.
  void put_item(Draws& draws, Sample& one, std::vector<bool>& taken, std::vector<int64_t>& left) const {
    const int64_t distance = draw_distance(draws);
    const auto item = static_cast<size_t>(draws.between(0, length() - 2 - distance));
    const size_t asked = item + 1 + static_cast<size_t>(distance), answer = asked + 1;
    std::vector<size_t> places = {item, item + 1, asked - 1, asked};
    if (answer < taken.size()) places.push_back(answer);
    if (std::ranges::any_of(places, [&](size_t place) { return taken[place]; })) return;
    for (const size_t place : places) taken[place] = true;

    const size_t which = draws.below(left.size());
    const int64_t key = left[which], value = draws.between(first_value, first_value + values - 1);
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(which));
    one.input[item] = key;
    one.input[item + 1] = value;
    one.input[asked - 1] = question;
    one.input[asked] = key;
    one.target[asked] = value;
    if (answer < taken.size()) one.input[answer] = value;
  }

  int64_t nearest_;
  int64_t farthest_;
};

}  // namespace

TaskPointer make_recall_task(const std::string& name, const TaskOptions& options) {
  return std::make_shared<RecallTask>(name, options);
}

}  // namespace weft
