// Regular expressions as Hugging Face's tokenizers has them: Oniguruma's, in Ruby's syntax, on UTF-8.
#pragma once

#include <weft/data/text/tokenizer.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

class Regex {
 public:
  /// ValueError, with what is wrong, for a pattern that is none.
  explicit Regex(const std::string& pattern);

  /// All matches, from left to right, without those of no bytes. ValueError when the search takes too long, as some
  /// patterns do on some texts.
  std::vector<Encoding::Span> matches(std::string_view text) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
  std::string pattern_;
};

/// A pattern that stands for nothing but itself.
std::string escaped_for_regex(std::string_view text);

}  // namespace weft
