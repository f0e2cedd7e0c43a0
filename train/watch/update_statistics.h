// What the statistics of a run hold of one update, and the line of statistics.jsonl that it is:
//
//   {"step":500,
//    "weights":{"blocks.0.attention.query.weight":{"mean":..,"std":..,"min":..,"max":..,"norm":..,"histogram":[..]},..},
//    "gradients":{the same, of parameters that have one},
//    "updates":{"blocks.0.attention.query.weight":{"ratio":..},..},
//    "activations":{"blocks.0.attention":{"mean":..,"std":..,"min":..,"max":..,"zero":..},..}}
//
// The histogram counts values in 64 stretches of equal width from min to max (tensor_statistics.h); it is missing where a
// value is not finite, and such a number is null.
#pragma once

#include <weft/train/watch/tensor_statistics.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft {

struct UpdateStatistics {
  template <class Of>
  using ByPath = std::vector<std::pair<std::string, Of>>;  ///< in the order of the model

  int64_t step = 0;                         ///< the update's number: as many were made before it
  ByPath<TensorStatistics> weights = {};    ///< before the update
  ByPath<TensorStatistics> gradients = {};  ///< averaged over the whole update, and not yet clipped
  ByPath<double> ratios =
      {};  ///< |w' - w| / |w| of what the update changes, w' being the weights after; of |w| = 0, 0
  /// What came out of each layer that is called, in the forward pass of the update's first micro-batch.
  ByPath<TensorStatistics> activations = {};

  /// Without a newline.
  std::string line() const;
  /// What such a line tells, of which `count` is not part: it is that of the histogram, 0 without one. Nothing for a line
  /// that is none.
  static std::optional<UpdateStatistics> from_line(std::string_view line);
};

}  // namespace weft
