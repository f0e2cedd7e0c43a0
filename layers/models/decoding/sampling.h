// Choosing the next token from logits.
#pragma once

#include <weft/lib/array/random.h>

#include <cstdint>
#include <span>
#include <vector>

namespace weft {

/// Names, meanings and order of the cuts are those of transformers' generate: repetition_penalty,
/// temperature, top_k, top_p, min_p.
struct SamplingOptions {
  double temperature = 0.8;  ///< logits are divided by it; 0 takes the most likely token
  int64_t top_k = 0;         ///< only the k most likely; 0 means all
  double top_p =
      1.0;  ///< only the most likely ones that together reach p (Holtzman et al. 2020); 1 means all
  double min_p =
      0.0;  ///< only those at least min_p times as likely as the likeliest (Nguyen et al. 2024); 0 means all
  /// Logits of tokens read before are divided by it where positive and multiplied where negative (Keskar et
  /// al. 2019, section 4.1); 1 changes nothing.
  double repetition_penalty = 1.0;
  bool operator==(const SamplingOptions&) const = default;
  /// ValueError that names the first value out of range.
  void check() const;
};

/// A token drawn from softmax(logits / temperature) after the cuts; `read` are the tokens that
/// repetition_penalty knows. Of equal logits the lower id counts as the likelier. The draw is number `draw`
/// of `sample`: the same numbers give the same token. NumericError for NaN or no finite logit; ValueError for
/// an id in `read` that has no logit.
int64_t sample_token(std::span<const float> logits, const SamplingOptions& options, RandomKey key,
                     uint64_t sample, uint64_t draw, std::span<const int64_t> read = {});

/// What sample_token draws from: a probability for each token.
std::vector<double> sampling_probabilities(std::span<const float> logits, const SamplingOptions& options,
                                           std::span<const int64_t> read = {});

/// log of the sum of exp(logits), in double: what a logit is less to be the log-probability of its token, before any of the
/// options. NumericError, which begins with `what`, as for sample_token.
double log_total(std::span<const float> logits, const char* what = "sampling");

}  // namespace weft
