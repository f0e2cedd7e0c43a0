#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/checks.h>
#include <weft/lib/kernels/fused/fused.h>
#include <weft/lib/kernels/strides.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

#include <algorithm>

namespace weft::kernels {

namespace {

/// The values of `vector`, which must be (columns); null when it is undefined.
const float* columns_of(const char* op, const char* name, const Array& vector, const Array& x) {
  if (!vector.defined()) return nullptr;
  check_float(op, name, vector);
  if (vector.shape() != Shape{x.dim(-1)})
    fail<ShapeError>(op, ": ", name, " must be ", Shape{x.dim(-1)}, " for x ", x.shape(), ", not ",
                     vector.shape());
  return vector.data<float>();
}

void check_statistics(const char* op, const Array& x, const Array& mean, const Array& rstd) {
  const Shape rows = x.shape().without(x.rank() - 1);
  if (mean.defined()) check_float(op, "mean", mean);
  check_float(op, "rstd", rstd);
  if ((mean.defined() && mean.shape() != rows) || rstd.shape() != rows)
    fail<ShapeError>(op, ": mean and rstd must be ", rows, " for x ", x.shape(), ", not ", mean.shape(),
                     " and ", rstd.shape());
}

/// The means, which RMS norm does not have: then null.
const float* means_of(const Array& mean) { return mean.defined() ? mean.data<float>() : nullptr; }

/// The place of row r, of what may be null.
template <class T>
T* at_row(T* values, int64_t r) {
  return values ? values + r : nullptr;
}

LayerNormResult normalized(const char* op, bool centred, const Array& x, const Array& weight,
                           const Array& bias, double eps) {
  check_float(op, "x", x);
  const auto [count, length] = rows_of(op, x);
  const float* scale = columns_of(op, "weight", weight, x);
  const float* offset = columns_of(op, "bias", bias, x);
  const Shape rows = x.shape().without(x.rank() - 1);
  LayerNormResult result{Array(x.shape(), float32), centred ? Array(rows, float32) : Array(),
                         Array(rows, float32)};
  const KernelScope profile(op, 0, x, weight, bias, result.y);
  const float* from = x.data<float>();
  float* to = result.y.mutable_data<float>();
  float* mean = centred ? result.mean.mutable_data<float>() : nullptr;
  float* rstd = result.rstd.mutable_data<float>();
  const auto row = isa::table().rows.layer_norm;
  parallel_for(count, tile_of_items(length), [=, n = length](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      row(from + r * n, scale, offset, static_cast<float>(eps), to + r * n, at_row(mean, r), rstd + r, n);
  });
  return result;
}

}  // namespace

LayerNormResult layer_norm(const Array& x, const Array& weight, const Array& bias, double eps) {
  return normalized("layer_norm", true, x, weight, bias, eps);
}

LayerNormResult rms_norm(const Array& x, const Array& weight, double eps) {
  return normalized("rms_norm", false, x, weight, {}, eps);
}

Array layer_norm_grad_x(Array dy, const Array& x, const Array& weight, const Array& mean, const Array& rstd) {
  const char* const op = mean.defined() ? "layer_norm_grad_x" : "rms_norm_grad_x";
  check_float(op, "x", x);
  check_same(op, "dy", dy, "x", x);
  const auto [count, length] = rows_of(op, x);
  check_statistics(op, x, mean, rstd);
  const float* scale = columns_of(op, "weight", weight, x);
  Array dx = dy.unique() ? dy : Array(x.shape(), float32);
  const KernelScope profile(op, 0, dy, x, weight, dx);
  const float *above = dy.data<float>(), *value = x.data<float>();
  const float *means = means_of(mean), *rstds = rstd.data<float>();
  float* to = dx.mutable_data<float>();
  const auto row = isa::table().rows.layer_norm_grad;
  parallel_for(count, tile_of_items(length), [=, n = length](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      row(above + r * n, value + r * n, scale, at_row(means, r), rstds[r], to + r * n, n);
  });
  return dx;
}

void layer_norm_accumulate(Array* d_weight, Array* d_bias, const Array& dy, const Array& x, const Array& mean,
                           const Array& rstd) {
  const char* const op = mean.defined() ? "layer_norm_accumulate" : "rms_norm_accumulate";
  check_float(op, "x", x);
  check_same(op, "dy", dy, "x", x);
  const auto [count, length] = rows_of(op, x);
  check_statistics(op, x, mean, rstd);
  const KernelScope profile(op, 0, dy, x);
  if (d_weight) columns_of(op, "d_weight", *d_weight, x);
  if (d_bias) columns_of(op, "d_bias", *d_bias, x);
  float* to_weight = d_weight ? d_weight->mutable_data<float>() : nullptr;
  float* to_bias = d_bias ? d_bias->mutable_data<float>() : nullptr;
  const float *above = dy.data<float>(), *value = x.data<float>();
  const float *means = means_of(mean), *rstds = rstd.data<float>();
  const auto accumulate = isa::table().rows.layer_norm_accumulate;
  constexpr int64_t columns = 64;
  parallel_for(length, columns, [=, rows = count, stride = length](int64_t begin, int64_t end) {
    accumulate(above + begin, value + begin, stride, means, rstds, rows, end - begin,
               to_weight ? to_weight + begin : nullptr, to_bias ? to_bias + begin : nullptr);
  });
}

}  // namespace weft::kernels
