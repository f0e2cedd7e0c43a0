// The pre-tokenizers of Hugging Face's tokenizers: how a text is cut into words, of which no token crosses an end. By
// their names there: BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, Metaspace, Punctuation, Split, Whitespace,
// WhitespaceSplit. "Sequence" is a list of steps here.
#pragma once

#include <weft/data/text/word_pattern.h>
#include <weft/data/tokenizers/aligned_text.h>
#include <weft/data/tokenizers/step.h>

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace weft {

/// A piece of the text; `first`: it begins the text.
struct TextPiece {
  AlignedText text;
  bool first = false;
};
using SplitStep = std::function<void(std::vector<TextPiece>& pieces)>;

/// ValueError for a pre-tokenizer, or a setting of one, that weft does not know.
SplitStep make_split(const TokenizerStep& step);

/// The regular expressions of word_pattern.h as tokenizer.json writes them; none for another one.
std::optional<WordPattern> word_pattern_of_regex(std::string_view regex);
const char* regex_of(WordPattern pattern);

}  // namespace weft
