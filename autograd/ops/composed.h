// The fused operations composed of small ones: what they mean, how they are computed in float64, and where
// their second derivatives come from. Arguments and errors as in the fused forms.
#pragma once

#include <weft/autograd/ops/attention.h>
#include <weft/autograd/ops/recurrent.h>
#include <weft/autograd/tensor.h>

namespace weft::composed {

/// Over the last axis.
Tensor softmax(const Tensor& x);
Tensor log_softmax(const Tensor& x);
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps);
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps);
/// (B, H, T, D), (B, G, S, D), (B, G, S, D) -> (B, H, T, D).
Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options);
/// One loss a row, (N), of logits (N, V) and targets (N).
Tensor cross_entropy_rows(const Tensor& logits, const Array& targets, int64_t ignore_index,
                          double label_smoothing);
/// One loss a row, (B), of ctc_loss; at least 1e29 where no path says the targets.
Tensor ctc_rows(const Tensor& logits, const Array& targets, const std::vector<int64_t>& lengths,
                int64_t blank);
/// (B, T, I) -> (B, T + 1, H), an LSTM's (B, T + 2, H): y, then the state after all tokens, h and c. The
/// initial state is given.
Tensor recurrence(RecurrentCell cell, const Tensor& x, const RecurrentWeights& weights,
                  const RecurrenceOptions& options);
Tensor additive_scores(const Tensor& q, const Tensor& k, const Tensor& v);

}  // namespace weft::composed
