// Connectionist temporal classification: the loss of a model that says labels somewhere in a longer sequence, nobody knows
// where (Graves et al. 2006).
#pragma once

#include <weft/autograd/ops/loss.h>

#include <cstdint>
#include <span>
#include <vector>

namespace weft {

struct CtcLossOptions {
  int64_t blank = 0;  ///< the class that says nothing
  /// Rows too short for their labels have a loss of 0, without a gradient, and take no part, instead of infinity (PyTorch's).
  bool zero_infinity = false;
};

/// -log of the probability that a row says its labels, over all its alignments, in nats: PyTorch's ctc_loss of
/// log_softmax(logits). logits (B, T, V), of which lengths[b] frames count (empty: all T); targets (B, U) int64, of which those
/// that are Batch::ignored (-100), at the end of a row, are none. Between two equal labels at least one frame is blank.
///
/// `rows` (B) has a loss a row; `count` counts labels, at least one a row, so that the mean is one of labels. ShapeError
/// unless the shapes fit; ValueError for a label outside [0, V), the blank among labels, one behind an ignored, and lengths
/// outside [0, T].
Loss ctc_loss(const Tensor& logits, const Array& targets, const std::vector<int64_t>& lengths = {},
              CtcLossOptions options = {});

}  // namespace weft
