// Connectionist temporal classification (Graves et al., "Connectionist Temporal Classification: Labelling Unsegmented
// Sequence Data with Recurrent Neural Networks", ICML 2006), forward and backward. Row by row, in double.
#pragma once

#include <weft/lib/array/array.h>

#include <cstdint>
#include <span>

namespace weft::kernels {

/// log(exp(a) + exp(b)), without overflow; -inf where both are.
double log_add_exp(double a, double b);

struct CtcProblem {
  Array logits;                           ///< (B, T, V), float32 or float64
  std::span<const int64_t> lengths;       ///< (B) how many of T count
  std::span<const int64_t> targets;       ///< (B, U), row-major
  std::span<const int64_t> target_sizes;  ///< (B) how many of U count
  int64_t blank = 0;
};

/// -log p(targets | logits) of each row, (B) float64: equation 8 by the recursion of equations 6 and 7, on logarithms.
/// Infinity where no path of so few frames says the targets.
Array ctc_loss(const CtcProblem& problem);

/// scales[b] times its gradient, like the logits: softmax(x) less, of each label, the share of the paths that say it then
/// (equation 16). Zeros beyond the lengths and in rows that have no path.
Array ctc_loss_grad(const CtcProblem& problem, std::span<const double> scales);

}  // namespace weft::kernels
