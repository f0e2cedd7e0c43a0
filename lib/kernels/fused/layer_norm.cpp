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

LayerNormResult norm(const char* op, bool centred, const Array& x, const Array& weight, const Array& bias,
                     double eps, DType dtype) {
  check_single(op, "x", x);
  if (!is_single(dtype)) fail<TypeError>(op, ": y must be float32 or bfloat16, not ", dtype);
  const auto [count, length] = rows_of(op, x);
  const float* scale = columns_of(op, "weight", weight, x);
  const float* offset = columns_of(op, "bias", bias, x);
  const Shape rows = x.shape().without(x.rank() - 1);
  LayerNormResult result{Array(x.shape(), dtype), centred ? Array(rows, float32) : Array(),
                         Array(rows, float32)};
  const KernelScope profile(op, 0, x, weight, bias, result.y);
  const FloatReader from(x);
  const FloatWriter to(result.y);
  float* mean = centred ? result.mean.mutable_data<float>() : nullptr;
  float* rstd = result.rstd.mutable_data<float>();
  const auto row = isa::table().rows.layer_norm;
  const Scratch scratch(from.narrow() || to.narrow() ? 2 * length : 0);
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

/// What the gradients read of the rows: x and its statistics, or `normalized` to xhat.
struct NormRows {
  const Array &values, &mean, &rstd;
  bool normalized;
};

Array grad_x(const char* op, Array dy, const NormRows& x, const Array& weight, DType dtype) {
  check_single(op, "x", x.values);
  check_single(op, "dy", dy);
  check_same_shape(op, "dy", dy, "x", x.values);
  const auto [count, length] = rows_of(op, x.values);
  check_statistics(op, x.values, x.mean, x.rstd);
  const float* scale = columns_of(op, "weight", weight, x.values);
  Array dx = dy.unique() && dy.dtype() == dtype ? dy : Array(dy.shape(), dtype);
  const KernelScope profile(op, 0, dy, x.values, weight, dx);
  const FloatReader above(dy), value(x.values);
  const FloatWriter to(dx);
  const float *means = means_of(x.mean), *rstds = x.rstd.data<float>();
  const auto row = isa::table().rows.layer_norm_grad;
  const Scratch scratch(above.narrow() || value.narrow() || to.narrow() ? 3 * length : 0);
  parallel_for(count, tile_of_items(length), [&, n = length](int64_t begin, int64_t end) {
    float* const room = scratch.here();
    for (int64_t r = begin; r < end; ++r) {
      float* const d = to.at(r * n, room + 2 * n);
      row(above.at(r * n, n, room), value.at(r * n, n, room + n), x.normalized, scale, at_row(means, r),
          rstds[r], d, n);
      to.put(r * n, n, d);
    }
  });
  return dx;
}

void accumulate(const char* op, Array* d_weight, Array* d_bias, const Array& dy, const NormRows& x) {
  check_single(op, "x", x.values);
  check_single(op, "dy", dy);
  check_same_shape(op, "dy", dy, "x", x.values);
  const auto [count, length] = rows_of(op, x.values);
  if (!x.normalized) check_statistics(op, x.values, x.mean, x.rstd);
  const KernelScope profile(op, 0, dy, x.values);
  if (d_weight) columns_of(op, "d_weight", *d_weight, x.values);
  if (d_bias) columns_of(op, "d_bias", *d_bias, x.values);
  float* to_weight = d_weight ? d_weight->mutable_data<float>() : nullptr;
  float* to_bias = d_bias ? d_bias->mutable_data<float>() : nullptr;
  const FloatReader above(dy), value(x.values);
  const float *means = means_of(x.mean), *rstds = x.normalized ? nullptr : x.rstd.data<float>();
  const auto add = isa::table().rows.layer_norm_accumulate;
  // Whole lines of memory; four at once where that leaves enough for all threads.
  constexpr int64_t most = 64, narrow_rows = 32;
  const int64_t columns = length >= most * num_threads() ? most : 16;
  parallel_for(length, columns, [&, rows = count, stride = length](int64_t begin, int64_t end) {
    float *const d_scale = at_row(to_weight, begin), *const d_offset = at_row(to_bias, begin);
    const int64_t width = end - begin;
    if (!above.narrow() && !value.narrow())
      return add(above.at(begin, 0, nullptr), value.at(begin, 0, nullptr), stride, means, rstds, rows, width,
                 d_scale, d_offset);
    alignas(64) float room[2][narrow_rows * most];
    for (int64_t r = 0; r < rows; r += narrow_rows) {  // the chain goes on from what is there
      const int64_t some = std::min(narrow_rows, rows - r);
      for (int64_t i = 0; i < some; ++i) {
        above.copy((r + i) * stride + begin, width, room[0] + i * columns);
        value.copy((r + i) * stride + begin, width, room[1] + i * columns);
      }
      add(room[0], room[1], columns, at_row(means, r), at_row(rstds, r), some, width, d_scale, d_offset);
    }
  });
}

}  // namespace

LayerNormResult layer_norm(const Array& x, const Array& weight, const Array& bias, double eps) {
  return layer_norm(x, weight, bias, eps, x.dtype());
}
LayerNormResult layer_norm(const Array& x, const Array& weight, const Array& bias, double eps, DType dtype) {
  return norm("layer_norm", true, x, weight, bias, eps, dtype);
}

LayerNormResult rms_norm(const Array& x, const Array& weight, double eps) {
  return rms_norm(x, weight, eps, x.dtype());
}
LayerNormResult rms_norm(const Array& x, const Array& weight, double eps, DType dtype) {
  return norm("rms_norm", false, x, weight, {}, eps, dtype);
}

Array layer_norm_grad_x(Array dy, const Array& x, const Array& weight, const Array& mean, const Array& rstd) {
  const char* const op = mean.defined() ? "layer_norm_grad_x" : "rms_norm_grad_x";
  check_same(op, "dy", dy, "x", x);
  return grad_x(op, std::move(dy), {x, mean, rstd, false}, weight, x.dtype());
}

void layer_norm_accumulate(Array* d_weight, Array* d_bias, const Array& dy, const Array& x, const Array& mean,
                           const Array& rstd) {
  const char* const op = mean.defined() ? "layer_norm_accumulate" : "rms_norm_accumulate";
  check_same(op, "dy", dy, "x", x);
  accumulate(op, d_weight, d_bias, dy, {x, mean, rstd, false});
}

Array scale_and_shift(const Array& xhat, const Array& weight, const Array& bias) {
  const char* const op = "scale_and_shift";
  check_single(op, "x", xhat);
  const auto [count, length] = rows_of(op, xhat);
  const float* scale = columns_of(op, "weight", weight, xhat);
  const float* offset = columns_of(op, "bias", bias, xhat);
  Array y(xhat.shape(), xhat.dtype());
  const KernelScope profile(op, 0, xhat, weight, bias, y);
  const FloatReader from(xhat);
  const FloatWriter to(y);
  const auto row = isa::table().rows.scale_and_shift;
  const Scratch scratch(to.narrow() ? 2 * length : 0);
  parallel_for(count, tile_of_items(length), [&, n = length](int64_t begin, int64_t end) {
    float* const room = scratch.here();
    for (int64_t r = begin; r < end; ++r) {
      float* const out = to.at(r * n, room + n);
      row(from.at(r * n, n, room), scale, offset, out, n);
      to.put(r * n, n, out);
    }
  });
  return y;
}

Array normalized_grad_x(Array dy, const Array& xhat, const Array& weight, const Array& mean,
                        const Array& rstd, DType dtype) {
  const char* const op = mean.defined() ? "layer_norm_grad_x" : "rms_norm_grad_x";
  if (!is_single(dtype)) fail<TypeError>(op, ": dx must be float32 or bfloat16, not ", dtype);
  return grad_x(op, std::move(dy), {xhat, mean, rstd, true}, weight, dtype);
}

void normalized_accumulate(Array* d_weight, Array* d_bias, const Array& dy, const Array& xhat) {
  const Array none;
  accumulate("layer_norm_accumulate", d_weight, d_bias, dy, {xhat, none, none, true});
}

}  // namespace weft::kernels
