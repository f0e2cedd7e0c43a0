// Reviews of places, and whether who wrote them liked them.
//
//   We came on a rainy Monday. Although the soup, which my sister had ordered for the whole family, was not
//   bad, the room was dreadful. It was our first visit.
//
// One word decides, and the rest of its sentence says how:
//   negation   "not good", "hardly good", "anything but good": the opposite of the word
//   contrast   "A, but B", "although A, B": B decides. "A, although B": A decides. A and B are of opposite
//   sense agreement  "A and B" have the same sense; B's word decides distance   between what is reviewed and
//   the word for it there may be up to 25 others, which decide nothing
// The deciding word is strong, plain or weak. Labels follow it but for noise: a share of those of plain and
// weak words, drawn apart from everything else, says the opposite. So no model can know more than the rule
// says:
//   best_review_accuracy() = sum over strengths of P(strength) (1 - noise of strength)
#pragma once

#include <weft/data/draws.h>

#include <cstdint>
#include <string>

namespace weft {

struct Review {
  std::string text;
  bool positive = false;  ///< the label, noise included
  bool by_rule = false;   ///< what the rule says: the best answer there is
};
/// A function of the draws.
Review draw_review(Draws& draws);

/// 0.975.
double best_review_accuracy();

/// Every word of reviews, and the most pieces (data/word_tokenizer.h) of one.
std::string review_words();
int64_t longest_review();

}  // namespace weft
