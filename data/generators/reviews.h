// Reviews of places, and whether who wrote them liked them.
//
//   we came here on a rainy monday. although the soup, which my sister had ordered for the children, was not
//   bad, the room seemed dreadful. the cake was never lovely or fresh. it was our first visit.
//
// One to three sentences judge, all of them alike. In each one word decides, or two of one kind ("good and
// fresh", "not good or fresh"), and the rest of the sentence says how:
//   negation   "not good", "hardly good", "anything but good": the opposite of the words
//   contrast   "A, but B", "although A, B": B decides; "A, although B": A decides. Their senses are opposite
//   agreement  "A and B": B decides. They have the same sense
//   distance   up to 25 words, which decide nothing, between what is reviewed and what is said of it
// The deciding words are strong, plain or weak. Labels follow them but for noise: where those of the last
// sentence that judges are plain or weak, a share of the labels, drawn apart from everything else, says the
// opposite. So no model can know more than the rule says:
//   best_review_accuracy() = sum over strengths of P(strength) (1 - noise of strength)
// Who writes also gives a verdict, "we loved it. ", of the sense of the label. It stands before the text for
// what reads reviews without labels, and is no part of it, or there would be nothing to find out.
#pragma once

#include <weft/data/generators/draws.h>

#include <cstdint>
#include <string>

namespace weft {

struct Review {
  std::string text;
  bool positive = false;  ///< the label, noise included
  bool by_rule = false;   ///< what the rule says: the best answer there is
  std::string verdict;    ///< the sentence before the text; its second word decides
};
/// A function of the draws.
Review draw_review(Draws& draws);

/// 0.975.
double best_review_accuracy();

/// Every word of reviews and verdicts, and the most pieces (data/word_tokenizer.h) of one.
std::string review_words();
int64_t longest_review();
int64_t longest_verdict();

}  // namespace weft
