// What a reader of the curves should look at, found in the numbers alone.
//
// Losses of updates are noisy. What they usually are is a mean m and a mean distance from it d that follow them over some
// 50 lines; the first 30 lines are only learned from. Evaluations are few and steady.
//
//   spike         a line with loss > m + 8 d and loss > 1.1 m; lines within 50 of the last such are the same spike
//   divergence    at the end of the log m has lost more than half of what it had gained from the first 10 lines to its
//                 smallest value, and is 1.2 times that; or a run has stopped before its end right behind gradients of 10
//                 times their usual norm
//   not_finite    a line whose loss or gradient norm is NaN or infinite
//   overfitting   of at least 3 evaluations behind the best the last three have on average a validation loss that is 0.5 %
//                 higher, and a training loss that is lower, than the best had
//   plateau       over the last quarter of the evaluations, 5 at least, the best validation loss (where there are no
//                 evaluations: the mean loss of a twentieth of the lines, of which there must be 200) fell by less than
//                 0.2 %, while the learning rate was above 0.15 of its largest; not where it overfits or diverges
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "series.h"

namespace weft::tools {

struct Alert {
  enum class Kind { spike, divergence, not_finite, overfitting, plateau };

  Kind kind = Kind::spike;
  int64_t step = 0;   ///< where it begins
  std::string title;  ///< "loss spike"
  std::string text;   ///< what was seen, and what it means, in sentences
};

/// "spike", "divergence", "not_finite", "overfitting", "plateau".
const char* name_of(Alert::Kind kind);

/// Whether a run is still at it.
enum class Progressing { yes, finished, stopped };

/// By step. `updates` has "loss", "lr" and "grad_norm"; `evaluations` has "train_loss" and "val_loss". Of spikes those that
/// rise most, `most_spikes`.
inline constexpr size_t most_spikes = 20;
std::vector<Alert> alerts_of(const Series& updates, const Series& evaluations, Progressing progressing);

}  // namespace weft::tools
