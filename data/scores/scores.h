// How well a model answers: counts over classes, and texts against references.
#pragma once

#include <weft/lib/array/batch.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// Which classes were taken for which: batch after batch, then scored.
class Confusion {
 public:
  /// ValueError below one class.
  explicit Confusion(int64_t classes);
  /// Pairs whose target is Batch::ignored do not count. ValueError on lengths that differ or a class outside
  /// [0, classes).
  void add(std::span<const int64_t> predictions, std::span<const int64_t> targets);

  int64_t classes() const { return classes_; }
  int64_t total() const;
  int64_t count(int64_t target, int64_t prediction) const;
  /// All scores are in [0, 1], and 0 when nothing was added.
  double accuracy() const;
  /// 2 tp / (2 tp + fp + fn) of one class; 0 when it does not occur.
  double f1(int64_t positive = 1) const;
  /// The mean of f1 over the classes that occur as a target or a prediction (as scikit-learn).
  double macro_f1() const;
  /// The mean over the same classes of tp / (tp + fp + fn).
  double mean_iou() const;

 private:
  struct Hits {
    int64_t both = 0, target = 0, prediction = 0;
  };
  Hits hits(int64_t one) const;
  template <class Score>
  double mean(Score score) const;

  int64_t classes_;
  std::vector<int64_t> counts_;  ///< by target, then prediction
};

/// Share of texts equal to their reference, byte for byte. ValueError, as all below, when there are not
/// equally many.
double exact_match(std::span<const std::string> texts, std::span<const std::string> references);

/// How BLEU cuts texts into words: as mteval-v13a does, or at white space.
enum class BleuWords { mteval_13a, white_space };
/// The words of a text, separated by one space, as "mteval-v13a" has them. ValueError when it is not UTF-8.
std::string tokenize_13a(std::string_view text);

/// Corpus BLEU (Papineni et al., "BLEU: a Method for Automatic Evaluation of Machine Translation", ACL 2002)
/// in [0, 100], one reference each, as sacreBLEU computes it: the geometric mean of the precisions of 1- to
/// 4-grams with exponential smoothing, times exp(1 - reference words / words) when there are fewer words than
/// in the references. 0 for no texts.
double bleu(std::span<const std::string> texts, std::span<const std::string> references,
            BleuWords words = BleuWords::mteval_13a);

/// Corpus chrF2 (Popovic, "chrF: character n-gram F-score for automatic MT evaluation", WMT 2015) in [0,
/// 100], one reference each, as sacreBLEU computes it: F with beta 2 of the mean precision and recall of 1-
/// to 6-grams of characters without white space, over the orders that both sides have. 0 for no texts.
double chrf(std::span<const std::string> texts, std::span<const std::string> references);

/// Word error rate: words (at white space) that must be put in place of others, taken out or put in to make each text its
/// reference, the fewest there can be (Levenshtein), by all words of the references, as jiwer computes it. Above 1 where texts
/// are too long; where references have no words at all it is the number of errors.
double word_error_rate(std::span<const std::string> texts, std::span<const std::string> references);
/// Character error rate, likewise: characters, spaces among them, but not those at both ends.
double character_error_rate(std::span<const std::string> texts, std::span<const std::string> references);

}  // namespace weft
