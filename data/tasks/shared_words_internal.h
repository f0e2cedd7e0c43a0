// One vocabulary for all tasks that read English or translate by prefix, so that a model of one can go on
// with another.
#pragma once

#include <weft/data/text/word_tokenizer.h>

#include <memory>

namespace weft {

/// The words of stories, their summaries, reviews, both languages of data/translation.h, and the prefixes and
/// answers of the text-to-text tasks.
const std::shared_ptr<const WordTokenizer>& shared_words();

}  // namespace weft
