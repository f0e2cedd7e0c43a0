#include <weft/data/generators/templates.h>
#include <weft/data/text/word_tokenizer.h>

#include <algorithm>

namespace weft {
namespace {

/// Calls literal(text) and gap(name) for the parts of a text, in their order.
template <class Literal, class Gap>
void each_part(std::string_view text, Literal literal, Gap gap) {
  while (!text.empty()) {
    const size_t open = std::min(text.find('['), text.size());
    if (open > 0) literal(text.substr(0, open));
    if (open == text.size()) return;
    const size_t close = text.find(']', open);
    if (close == std::string_view::npos) fail<ValueError>("templates: '[' is not closed in '", text, "'");
    gap(text.substr(open + 1, close - open - 1));
    text.remove_prefix(close + 1);
  }
}

}  // namespace

Templates::Templates(Texts texts) : texts_(std::move(texts)) {
  for (const auto& [name, all] : texts_) {
    if (all.empty()) fail<ValueError>("templates: nothing stands for [", name, "]");
    for (const std::string& text : all) check(text, 0);
  }
}

void Templates::check(std::string_view text, size_t depth) const {
  if (depth > texts_.size()) fail<ValueError>("templates: '", text, "' comes up within itself");
  each_part(
      text, [](std::string_view) {},
      [&](std::string_view name) {
        for (const std::string& one : texts(name)) check(one, depth + 1);
      });
}

const std::vector<std::string>& Templates::texts(std::string_view name) const {
  const auto found = texts_.find(name);
  if (found == texts_.end()) fail<ValueError>("templates: there is no [", name, "]");
  return found->second;
}

std::string Templates::fill(std::string_view text, Draws& draws) const {
  std::string filled;
  each_part(
      text, [&](std::string_view literal) { filled += literal; },
      [&](std::string_view name) { filled += fill(draws.one_of(texts(name)), draws); });
  return filled;
}

int64_t Templates::longest(std::string_view text) const {
  int64_t pieces = 0;
  each_part(
      text,
      [&](std::string_view literal) {
        pieces += static_cast<int64_t>(WordTokenizer::of(literal).encode(literal).size());
      },
      [&](std::string_view name) {
        int64_t most = 0;
        for (const std::string& one : texts(name)) most = std::max(most, longest(one));
        pieces += most;
      });
  return pieces;
}

std::string Templates::words() const {
  std::string all;
  for (const auto& [name, one] : texts_)
    for (const std::string& text : one) all += words_of(text);
  return all;
}

std::string Templates::words_of(std::string_view text) {
  std::string words;
  each_part(
      text, [&](std::string_view literal) { words += std::string(literal) + " "; }, [](std::string_view) {});
  return words;
}

}  // namespace weft
