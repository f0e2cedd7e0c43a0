// What the evaluations of a run found.
#pragma once

#include <weft/lib/array/state_dict.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace weft {

struct Evaluation {
  int64_t step = 0;
  double train_loss = 0;
  double val_loss = 0;
  /// Of what is kept from training, the share of targets that are right; none where the task has no such score. It stands
  /// in the log alone, not in checkpoints.
  std::optional<double> val_accuracy = {};

  bool operator==(const Evaluation&) const = default;
};

/// All evaluations of a run, in order.
struct History {
  std::vector<Evaluation> evaluations;

  /// The first with the smallest validation loss; nullptr when there is none.
  const Evaluation* best() const;
  /// Whether the one at that step has been made.
  bool evaluated(int64_t step) const { return !evaluations.empty() && evaluations.back().step == step; }
  /// Evaluations made since the best.
  int64_t since_best() const;

  /// {"step", "train_loss", "val_loss"}, an array each.
  StateDict state_dict() const;
  /// StateError when the state is damaged.
  static History from_state(const StateDict& state);
};

}  // namespace weft
