#include <weft/data/tokenizers/step.h>

namespace weft {

std::string StepReader::text(const char* name, const char* otherwise) {
  read_.insert(name);
  if (const auto found = step_.texts.find(name); found != step_.texts.end()) return found->second;
  if (step_.numbers.contains(name)) refuse(name, " is no text");
  if (!otherwise) refuse("has no ", name);
  return otherwise;
}

int64_t StepReader::number(const char* name, int64_t otherwise) {
  read_.insert(name);
  if (const auto found = step_.numbers.find(name); found != step_.numbers.end()) return found->second;
  if (step_.texts.contains(name)) refuse(name, " is no number");
  return otherwise;
}

bool StepReader::flag(const char* name, bool otherwise) {
  const int64_t value = number(name, otherwise ? 1 : 0);
  if (value != 0 && value != 1) refuse(name, " is ", value, ", neither true nor false");
  return value == 1;
}

void StepReader::finish() const {
  for (const auto& [name, value] : step_.texts)
    if (!read_.contains(name)) refuse("weft does not know its setting ", name);
  for (const auto& [name, value] : step_.numbers)
    if (!read_.contains(name)) refuse("weft does not know its setting ", name);
}

StateDict state_of(const std::vector<TokenizerStep>& steps) {
  StateDict all;
  all.set("count", static_cast<int64_t>(steps.size()));
  for (size_t i = 0; i < steps.size(); ++i) {
    StateDict texts, numbers, one;
    for (const auto& [name, value] : steps[i].texts) texts.set(name, value);
    for (const auto& [name, value] : steps[i].numbers) numbers.set(name, value);
    one.set("type", steps[i].type);
    one.set("texts", texts);
    one.set("numbers", numbers);
    all.set(std::to_string(i), one);
  }
  return all;
}

std::vector<TokenizerStep> steps_of(const StateDict& state) {
  const int64_t count = state.integer("count");
  if (count < 0 || static_cast<uint64_t>(count) + 1 != state.size())
    fail<StateError>("tokenizer: says it has ", count, " steps, not ", state.size() - 1);
  std::vector<TokenizerStep> steps;
  for (int64_t i = 0; i < count; ++i) {
    const StateDict& one = state.dict(std::to_string(i));
    TokenizerStep step{.type = one.text("type")};
    const StateDict &texts = one.dict("texts"), &numbers = one.dict("numbers");
    for (const std::string& name : texts.keys()) step.texts[name] = texts.text(name);
    for (const std::string& name : numbers.keys()) step.numbers[name] = numbers.integer(name);
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace weft
