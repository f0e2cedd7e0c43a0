// T5's relative positions: a trained number for each head and bucket of distances, added to the scores of
// attention (Raffel et al. 2020, section 2.1).
#pragma once

#include <weft/autograd/ops.h>
#include <weft/layers/layer.h>

#include <optional>
#include <span>

namespace weft {

struct RelativePositionBiasOptions {
  int64_t buckets = 32;
  int64_t max_distance = 128;  ///< from here on all distances share a bucket
  bool bidirectional = true;   ///< half of the buckets are for keys after the query; without, those are 0
  std::optional<Init> weight_init{};  ///< default: normal(0, 0.02)
};

/// The bucket of a key `distance` tokens after the query. Of N buckets for a direction, the first N / 2 hold
/// one distance each, the others grow as the logarithm up to max_distance, as transformers has it.
int64_t relative_position_bucket(int64_t distance, const RelativePositionBiasOptions& options);

/// Parameter: weight (buckets, H). Shared by all layers of a stack: one call, whose result each layer adds.
class RelativePositionBias : public Layer<RelativePositionBias> {
 public:
  /// ValueError below 2 buckets a direction, or when max_distance is not beyond those of one distance each.
  explicit RelativePositionBias(int64_t heads, const RelativePositionBiasOptions& options = {});
  /// For T queries, the first of them at place offsets[b] of sample b (empty: 0), and keys 0 .. S - 1:
  /// (samples, H, T, S), or (1, H, T, S) when there are no offsets and no gradient is wanted. With one, the
  /// gradient of each number is a chain over the samples. ShapeError unless one offset a sample is given.
  Tensor forward(int64_t samples, int64_t T, int64_t S, std::span<const int64_t> offsets = {}) const;

  Parameter weight;
  const RelativePositionBiasOptions options;
};

}  // namespace weft
