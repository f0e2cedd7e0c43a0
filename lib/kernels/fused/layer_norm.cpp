#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/checks.h>
#include <weft/lib/kernels/floats.h>
#include <weft/lib/kernels/fused/fused.h>
#include <weft/lib/kernels/scratch.h>
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
  check_single(op, "x", x);
  const auto [count, length] = rows_of(op, x);
  const float* scale = columns_of(op, "weight", weight, x);
  const float* offset = columns_of(op, "bias", bias, x);
  const Shape rows = x.shape().without(x.rank() - 1);
  LayerNormResult result{Array(x.shape(), x.dtype()), centred ? Array(rows, float32) : Array(),
                         Array(rows, float32)};
  const KernelScope profile(op, 0, x, weight, bias, result.y);
  const FloatReader from(x);
  const FloatWriter to(result.y);
  float* mean = centred ? result.mean.mutable_data<float>() : nullptr;
  float* rstd = result.rstd.mutable_data<float>();
  const auto row = isa::table().rows.layer_norm;
  const Scratch scratch(from.narrow() ? 2 * length : 0);
  parallel_for(count, tile_of_items(length), [&, n = length](int64_t begin, int64_t end) {
    float* const room = scratch.here();
    for (int64_t r = begin; r < end; ++r) {
      float* const y = to.at(r * n, room + n);
      row(from.at(r * n, n, room), scale, offset, static_cast<float>(eps), y, at_row(mean, r), rstd + r, n);
      to.put(r * n, n, y);
    }
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
  check_single(op, "x", x);
  check_same(op, "dy", dy, "x", x);
  const auto [count, length] = rows_of(op, x);
  check_statistics(op, x, mean, rstd);
  const float* scale = columns_of(op, "weight", weight, x);
  Array dx = dy.unique() ? dy : Array(x.shape(), x.dtype());
  const KernelScope profile(op, 0, dy, x, weight, dx);
  const FloatReader above(dy), value(x);
  const FloatWriter to(dx);
  const float *means = means_of(mean), *rstds = rstd.data<float>();
  const auto row = isa::table().rows.layer_norm_grad;
  const Scratch scratch(value.narrow() ? 3 * length : 0);
  parallel_for(count, tile_of_items(length), [&, n = length](int64_t begin, int64_t end) {
    float* const room = scratch.here();
    for (int64_t r = begin; r < end; ++r) {
      float* const d = to.at(r * n, room + 2 * n);
      row(above.at(r * n, n, room), value.at(r * n, n, room + n), scale, at_row(means, r), rstds[r], d, n);
      to.put(r * n, n, d);
    }
  });
  return dx;
}

void layer_norm_accumulate(Array* d_weight, Array* d_bias, const Array& dy, const Array& x, const Array& mean,
                           const Array& rstd) {
  const char* const op = mean.defined() ? "layer_norm_accumulate" : "rms_norm_accumulate";
  check_single(op, "x", x);
  check_same(op, "dy", dy, "x", x);
  const auto [count, length] = rows_of(op, x);
  check_statistics(op, x, mean, rstd);
  const KernelScope profile(op, 0, dy, x);
  if (d_weight) columns_of(op, "d_weight", *d_weight, x);
  if (d_bias) columns_of(op, "d_bias", *d_bias, x);
  float* to_weight = d_weight ? d_weight->mutable_data<float>() : nullptr;
  float* to_bias = d_bias ? d_bias->mutable_data<float>() : nullptr;
  const FloatReader above(dy), value(x);
  const float *means = means_of(mean), *rstds = rstd.data<float>();
  const auto accumulate = isa::table().rows.layer_norm_accumulate;
  constexpr int64_t columns = 64, narrow_rows = 32;
  parallel_for(length, columns, [&, rows = count, stride = length](int64_t begin, int64_t end) {
    float *const d_scale = at_row(to_weight, begin), *const d_offset = at_row(to_bias, begin);
    const int64_t width = end - begin;
    if (!value.narrow())
      return accumulate(above.at(begin, 0, nullptr), value.at(begin, 0, nullptr), stride, means, rstds, rows,
                        width, d_scale, d_offset);
    alignas(64) float room[2][narrow_rows * columns];
    for (int64_t r = 0; r < rows; r += narrow_rows) {  // the chain goes on from what is there
      const int64_t some = std::min(narrow_rows, rows - r);
      for (int64_t i = 0; i < some; ++i) {
        above.at((r + i) * stride + begin, width, room[0] + i * columns);
        value.at((r + i) * stride + begin, width, room[1] + i * columns);
      }
      accumulate(room[0], room[1], columns, at_row(means, r), rstds + r, some, width, d_scale, d_offset);
    }
  });
}

}  // namespace weft::kernels
