// How a text is cut into words before byte pairs are merged: no token crosses the end of a word.
#pragma once

#include <cstddef>
#include <string_view>

namespace weft {

/// The regular expressions of GPT-2 and of GPT-4 (cl100k):
///   gpt2    '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///   cl100k  (?i:'(?:[sdmt]|ll|ve|re))|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
/// A byte that is not UTF-8 counts as one character that is neither letter, number nor space.
enum class WordPattern { gpt2, cl100k };
/// "gpt2", "cl100k"; ValueError on another text.
WordPattern word_pattern_from(std::string_view name);
const char* name_of(WordPattern pattern);

/// The bytes of the first word of a text that is not empty. What follows it is looked at: a piece of a text must end
/// where safe_cut() says.
size_t first_word(WordPattern pattern, std::string_view text);

/// The longest beginning of `text` behind which a word ends whatever follows: up to a space or a line's end behind a
/// letter. 0 for none.
size_t safe_cut(std::string_view text);

}  // namespace weft
