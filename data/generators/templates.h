// Texts with gaps: a small context-free grammar for generators that decide what matters themselves.
#pragma once

#include <weft/data/generators/draws.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// Names and what may stand for them, each as likely; [name] in a text is a gap.
///   {"meal", {"the [dish] was hot", "we ate [dish] and [dish]"}}, {"dish", {"rice", "soup"}}
class Templates {
 public:
  /// ValueError on a gap that is not closed, a name that is not there or has nothing to stand for it, and a
  /// name that comes up within itself.
  using Texts = std::map<std::string, std::vector<std::string>, std::less<>>;
  explicit Templates(Texts texts);

  /// One text for `name`, its gaps filled.
  std::string draw(std::string_view name, Draws& draws) const {
    return fill("[" + std::string(name) + "]", draws);
  }
  /// `text` with its gaps filled.
  std::string fill(std::string_view text, Draws& draws) const;
  /// What may stand for a name, gaps and all. ValueError when there is no such name.
  const std::vector<std::string>& texts(std::string_view name) const;
  /// The most pieces (data/word_tokenizer.h) that `text` may have once its gaps are filled.
  int64_t longest(std::string_view text) const;
  /// All that is written here, or in `text`, gaps left out, separated by spaces.
  std::string words() const;
  static std::string words_of(std::string_view text);

 private:
  void check(std::string_view text, size_t depth) const;

  Texts texts_;
};

}  // namespace weft
