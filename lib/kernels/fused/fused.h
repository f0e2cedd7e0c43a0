// Fused operations on rows of float32, norms and cross-entropy also of bfloat16 (with weights, statistics, losses and their
// gradients in float32), forward and backward by hand, one pass over memory where possible. Their
// formulas composed of small operations stand in autograd; tests hold the two together. "Row" is the last
// axis.
#pragma once

#include <weft/lib/array/array.h>

#include <cstdint>

namespace weft::kernels {

/// softmax, or log-softmax, of each row: p = exp(x - max) / sum. A row of -inf alone gives zeros, and
/// -inf (log_softmax).
Array softmax(const Array& x);
Array log_softmax(const Array& x);
/// dx = p (dy - sum(dy p)), from the output p.
Array softmax_grad(const Array& p, const Array& dy);
/// dx = dy - exp(y) sum(dy), from the output y.
Array log_softmax_grad(const Array& y, const Array& dy);

/// Layer norm (Ba et al. 2016): xhat = (x - mean) rstd, y = xhat weight + bias over rows of C;
/// rstd = 1 / sqrt(var + eps), var = mean((x - mean)^2). weight, bias (C) may be undefined.
struct LayerNormResult {
  Array y, mean, rstd;  // like x, or of `dtype`; one value a row
};
LayerNormResult layer_norm(const Array& x, const Array& weight, const Array& bias, double eps);
LayerNormResult layer_norm(const Array& x, const Array& weight, const Array& bias, double eps, DType dtype);
/// RMS norm (Zhang and Sennrich 2019): the same around 0, xhat = x / sqrt(mean(x^2) + eps), y = xhat weight.
/// Its `mean` is undefined, which tells the gradients below that rows were not centred: dx then lacks
/// mean(g).
LayerNormResult rms_norm(const Array& x, const Array& weight, double eps);
LayerNormResult rms_norm(const Array& x, const Array& weight, double eps, DType dtype);
/// dx = rstd (g - mean(g) - xhat mean(g xhat)) with g = dy weight; written over dy when nobody else holds it.
Array layer_norm_grad_x(Array dy, const Array& x, const Array& weight, const Array& mean, const Array& rstd);
/// d_weight += sum over rows of dy xhat, d_bias += sum of dy: one chain per column over rows in order. Either
/// may be null.
void layer_norm_accumulate(Array* d_weight, Array* d_bias, const Array& dy, const Array& x, const Array& mean,
                           const Array& rstd);

/// A norm of which xhat was kept, not x: y = xhat weight + bias, like xhat; the gradient of x, of `dtype`; and the sums
/// of the gradients of weight and bias. `mean` as above: its values are not read.
Array scale_and_shift(const Array& xhat, const Array& weight, const Array& bias);
Array normalized_grad_x(Array dy, const Array& xhat, const Array& weight, const Array& mean,
                        const Array& rstd, DType dtype);
void normalized_accumulate(Array* d_weight, Array* d_bias, const Array& dy, const Array& xhat);

/// Cross-entropy of logits (N, V) with int64 targets (N): row n has the loss
///   (1 - s) (lse - x[target]) + s (lse - mean(x)),  lse = log sum exp(x),  s the label smoothing,
/// and 0 where the target is ignore_index. ValueError names the first other target outside [0, V).
struct CrossEntropyResult {
  Array losses;   // (N) float32
  Array lse;      // (N) float32
  double sum;     // of the losses, in double, in row order
  int64_t count;  // rows that are not ignored
};
CrossEntropyResult cross_entropy(const Array& logits, const Array& targets, int64_t ignore_index,
                                 double smoothing);
/// dx = scale (softmax(x) - (1 - s) onehot(target) - s / V), zeros for ignored rows; written over the logits
/// when nobody else holds them.
Array cross_entropy_grad(Array logits, const Array& targets, const Array& lse, int64_t ignore_index,
                         double smoothing, double scale);

}  // namespace weft::kernels
