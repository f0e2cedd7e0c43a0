// Functions of one row of n floats; y may be an input. Sums have 16 partial sums, element i in sum i % 16,
// joined by reduce_add's tree, so that a row's result depends on the row alone. Formulas stand in
// kernels/fused/fused.h.
#pragma once

#include <cstdint>

namespace weft::isa {

struct RowFunctions {
  float (*sum)(const float* x, int64_t n);
  /// The sum of the squares, in double.
  double (*squared_norm)(const float* x, int64_t n);
  /// The largest value, 0 where there is none above -inf, and the sum of exp(x - max).
  void (*max_and_exp_sum)(const float* x, int64_t n, float* max, float* sum);

  void (*softmax)(const float* x, float* y, int64_t n);
  void (*log_softmax)(const float* x, float* y, int64_t n);
  /// p (dy - sum(dy p)) and dy - exp(y) sum(dy).
  void (*softmax_grad)(const float* p, const float* dy, float* dx, int64_t n);
  void (*log_softmax_grad)(const float* y, const float* dy, float* dx, int64_t n);
  /// scale (exp(x - lse) - uniform).
  void (*cross_entropy_grad)(const float* x, float lse, float uniform, float scale, float* dx, int64_t n);

  /// weight and bias may be null. Where mean is null, here and below, rows are not centred: RMS norm.
  void (*layer_norm)(const float* x, const float* weight, const float* bias, float eps, float* y, float* mean,
                     float* rstd, int64_t n);
  /// `normalized`: x holds xhat.
  void (*layer_norm_grad)(const float* dy, const float* x, bool normalized, const float* weight,
                          const float* mean, float rstd, float* dx, int64_t n);
  /// For the first `columns` columns, at most 64, of rows that lie `stride` apart: d_weight += dy xhat,
  /// d_bias += dy, one chain a column over the rows in order. Either may be null. Where rstd is null, x holds xhat.
  void (*layer_norm_accumulate)(const float* dy, const float* x, int64_t stride, const float* mean,
                                const float* rstd, int64_t rows, int64_t columns, float* d_weight,
                                float* d_bias);
  /// x weight + bias, both may be null.
  void (*scale_and_shift)(const float* x, const float* weight, const float* bias, float* y, int64_t n);
};

}  // namespace weft::isa
