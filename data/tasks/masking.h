// What is hidden from a model that must find it: single tokens (BERT) and spans (T5).
#pragma once

#include <weft/data/dataset.h>
#include <weft/data/generators/draws.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace weft {

/// Masked language modelling (Devlin et al., "BERT", 2018, section 3.1): round(share n) of the n tokens that
/// may be chosen, at least one, are to be found. 80 of 100 of them become the mask, 10 a word drawn
/// uniformly, 10 stay.
struct MaskingOptions {
  int64_t mask_id = 0;
  int64_t first_word = 0;  ///< tokens below are special: never chosen, never put in
  int64_t vocab_size = 0;  ///< words are [first_word, vocab_size)
  double share = 0.15;
  std::vector<int64_t> special =
      {};  ///< among them, in rising order: ids that are not chosen and not put in either
};
/// Changes `ids` and returns the targets, Batch::ignored where nothing was chosen. ValueError when there is
/// no word, the mask's id is negative, or share is not in (0, 1].
std::vector<int64_t> mask_tokens(std::span<int64_t> ids, const MaskingOptions& options, Draws& draws);

/// Any dataset of ids with some of them masked, by numbers of (seed, sample): each epoch hides others.
///   auto windows = std::make_shared<TokenDataset>(tokens, 128, seed);
///   MaskedDataset data(windows, {.mask_id = 65, .vocab_size = 65}, seed);
class MaskedDataset : public Dataset {
 public:
  /// ValueError as mask_tokens.
  MaskedDataset(std::shared_ptr<const Dataset> texts, const MaskingOptions& options, uint64_t seed);

  int64_t samples_per_epoch() const override { return texts_->samples_per_epoch(); }
  int64_t next_batch(int64_t first, int64_t wanted) const override {
    return texts_->next_batch(first, wanted);
  }
  Batch batch(int64_t first, int64_t count) const override;
  const std::shared_ptr<const Dataset>& texts() const { return texts_; }
  std::vector<std::vector<SamplePlace>> places(int64_t first, int64_t count) const override {
    return texts_->places(first, count);
  }

 private:
  std::shared_ptr<const Dataset> texts_;
  MaskingOptions options_;
  uint64_t seed_;
};

/// Any dataset of ids in which each word is the mask with probability `share`, by numbers of (seed, sample): each epoch
/// hides others (word dropout: Iyyer et al., "Deep Unordered Composition Rivals Syntactic Methods for Text
/// Classification", 2015, section 3.1). Targets stay.
class WordDropoutDataset : public Dataset {
 public:
  /// `special` are ids that stay, in rising order. ValueError when share is not in [0, 1) or the mask's id is negative.
  WordDropoutDataset(std::shared_ptr<const Dataset> texts, int64_t mask_id, double share,
                     std::vector<int64_t> special, uint64_t seed);

  int64_t samples_per_epoch() const override { return texts_->samples_per_epoch(); }
  int64_t next_batch(int64_t first, int64_t wanted) const override {
    return texts_->next_batch(first, wanted);
  }
  Batch batch(int64_t first, int64_t count) const override;
  std::vector<std::vector<SamplePlace>> places(int64_t first, int64_t count) const override {
    return texts_->places(first, count);
  }

 private:
  std::shared_ptr<const Dataset> texts_;
  int64_t mask_id_;
  double share_;
  std::vector<int64_t> special_;
  uint64_t seed_;
};

/// Span corruption (Raffel et al., "Exploring the Limits of Transfer Learning with a Unified Text-to-Text
/// Transformer", 2020, section 3.1.4): round(share n) of n tokens, at least one and not all, in
/// round(that / mean_length) spans, at least one, are taken out, each leaving a sentinel of its own. The
/// target is each sentinel with what it stands for, and one more sentinel. How the tokens fall into spans,
/// and the rest before, between and behind them, is drawn uniformly; only behind the last there may be none.
///   the fox ran to the hill  ->  the fox <extra_id_0> the hill  and  <extra_id_0> ran to <extra_id_1>
struct SpanOptions {
  int64_t first_sentinel = 0;
  int64_t sentinels = 0;
  double share = 0.15;
  double mean_length = 3.0;
};
/// How many of `tokens` tokens are taken out, and in how many spans. ValueError as corrupt_spans.
struct SpanCounts {
  int64_t hidden = 0;
  int64_t spans = 0;
};
SpanCounts count_spans(int64_t tokens, const SpanOptions& options);
struct CorruptedSpans {
  std::vector<int64_t> input;
  std::vector<int64_t> target;
};
/// ValueError below two tokens, when there are fewer sentinels than spans + 1, or share or mean_length are
/// out of (0, 1) and [1, inf).
CorruptedSpans corrupt_spans(std::span<const int64_t> ids, const SpanOptions& options, Draws& draws);

}  // namespace weft
