// Choosing the next token from logits.
#pragma once

#include <weft/lib/random.h>

#include <cstdint>
#include <span>

namespace weft {

struct SamplingOptions {
  double temperature = 0.8;  ///< logits are divided by it; 0 takes the most likely token
  int64_t top_k = 0;         ///< only the k most likely; 0 means all
  double top_p =
      1.0;  ///< only the most likely ones that together reach p (Holtzman et al. 2020); 1 means all
  /// ValueError that names the first value out of range.
  void check() const;
};

/// A token drawn from softmax(logits / temperature), cut by top_k, then top_p. Of equal logits the lower id
/// counts as the likelier. The draw is number `draw` of `sample`: the same numbers give the same token.
/// NumericError for NaN or no finite logit.
int64_t sample_token(std::span<const float> logits, const SamplingOptions& options, RandomKey key,
                     uint64_t sample, uint64_t draw);

}  // namespace weft
