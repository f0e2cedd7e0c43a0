// Two small languages, and the one translation from the first to the second.
//
// Both say the same things: who does what to whom, where, now or before. They share no word, and differ in
//   word order    A: article adjectives noun VERB article adjectives noun [preposition article noun]
//                 B: [article noun preposition] noun adjectives article  noun adjectives article VERB tense
//                 (subject-verb-object with adjectives first; subject-object-verb with adjectives behind, in
//                 the other order, and the place at the beginning)
//   agreement     A: articles and verbs with number; adjectives do not change, nouns have no gender
//                 B: articles, adjectives and verbs with number and with the gender of their noun (the verb
//                 with that of its subject), which a reader of A has to know by heart
//   tense         A: in the verb; B: a word of its own
// All that one says the other says too, so each sentence has exactly one translation, and none shares it.
#pragma once

#include <weft/data/generators/draws.h>

#include <cstdint>
#include <string>

namespace weft {

struct SentencePair {
  std::string a;
  std::string b;
};

/// One sentence: up to two adjectives a noun, a place in four of ten. There are 5.4e11.
SentencePair draw_sentence_pair(Draws& draws);

/// All words of one language, each once, separated by spaces: 105 and 185.
const std::string& words_of_language_a();
const std::string& words_of_language_b();

/// The longest sentence of each, in words.
inline constexpr int64_t longest_sentence_a = 12;
inline constexpr int64_t longest_sentence_b = 13;

}  // namespace weft
