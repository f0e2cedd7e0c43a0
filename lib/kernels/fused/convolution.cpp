#include <weft/lib/kernels/checks.h>
#include <weft/lib/kernels/fused/convolution.h>
#include <weft/lib/kernels/products/matmul.h>
#include <weft/lib/kernels/strides.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

#include <algorithm>
#include <type_traits>

namespace weft::kernels {

void Window::check(const char* op) const {
  const auto within = [](int64_t value, int64_t least) { return value >= least && value <= most; };
  for (size_t axis = 0; axis < 2; ++axis)
    if (!within(size[axis], 1) || !within(stride[axis], 1) || !within(dilation[axis], 1) ||
        !within(padding[axis], 0))
      fail<ValueError>(op, ": a window of size ", size[axis], ", stride ", stride[axis], ", dilation ",
                       dilation[axis], " and padding ", padding[axis],
                       ": the first three must be at least 1, the padding at least 0, and all at most ",
                       most);
}

int64_t Window::places(int axis, int64_t extent) const {
  const auto i = static_cast<size_t>(axis);
  const int64_t last = extent + 2 * padding[i] - dilation[i] * (size[i] - 1) - 1;
  return last < 0 ? 0 : last / stride[i] + 1;
}

namespace {

/// Where the patches of a picture lie.
struct Patches {
  int64_t B, C, H, W, rows, columns, kernel;
  Window window;

  /// Offset in a plane (H, W) of element `i` of the window's axis at a place, or -1 in the padding.
  int64_t at(size_t axis, int64_t place, int64_t i) const {
    const int64_t found = place * window.stride[axis] + i * window.dilation[axis] - window.padding[axis];
    return found >= 0 && found < (axis == 0 ? H : W) ? found : -1;
  }
  int64_t width() const { return C * kernel; }
};

Patches patches_of(const char* op, const Shape& shape, const Window& window) {
  window.check(op);
  if (shape.rank() != 4) fail<ShapeError>(op, ": x is ", shape, ": needs (B, C, H, W)");
  const Patches p{shape[0],
                  shape[1],
                  shape[2],
                  shape[3],
                  window.places(0, shape[2]),
                  window.places(1, shape[3]),
                  window.size[0] * window.size[1],
                  window};
  if (p.rows == 0 || p.columns == 0)
    fail<ShapeError>(op, ": a window of (", window.size[0], ", ", window.size[1], ") with dilation (",
                     window.dilation[0], ", ", window.dilation[1], ") and padding (", window.padding[0], ", ",
                     window.padding[1], ") does not fit into x ", shape);
  return p;
}

/// The elements of one patch of one channel that lie in the picture: f(offset in the plane, index in patch).
template <class F>
void for_patch(const Patches& p, int64_t row, int64_t column, F f) {
  for (int64_t i = 0; i < p.window.size[0]; ++i) {
    const int64_t y = p.at(0, row, i);
    if (y < 0) continue;
    for (int64_t j = 0; j < p.window.size[1]; ++j) {
      const int64_t x = p.at(1, column, j);
      if (x >= 0) f(y * p.W + x, i * p.window.size[1] + j);
    }
  }
}

/// One product of several side by side: so many rows, columns of x and columns of y.
struct Block {
  int64_t rows, inputs, outputs;
};

Block block_of(const char* op, const Array& x, const Array& weight, int64_t groups) {
  check_same_type(op, "x", x, "weight", weight);
  if (weight.rank() < 2 || x.rank() < 1)
    fail<ShapeError>(op, ": x is ", x.shape(), ", weight ", weight.shape(),
                     ": needs (..., groups K) and (O, ...)");
  const int64_t outputs = weight.dim(0), inputs = weight.shape().without(0).size();
  if (groups < 1 || outputs % groups != 0)
    fail<ValueError>(op, ": ", groups, " groups do not divide the ", outputs, " outputs of weight ",
                     weight.shape());
  if (x.dim(-1) % groups != 0 || x.dim(-1) / groups != inputs)
    fail<ShapeError>(op, ": x is ", x.shape(), ", weight ", weight.shape(), ": x must end in ", inputs,
                     " for each of ", groups, " groups");
  return {x.shape().without(-1).size(), inputs, outputs / groups};
}

}  // namespace

Array unfold(const Array& x, const Window& window) {
  const Patches p = patches_of("unfold", x.shape(), window);
  Array patches({p.B, p.rows * p.columns, p.width()}, x.dtype());
  if (patches.size() == 0) return patches;
  const KernelScope profile("unfold", 0, x, patches);
  visit_floating("unfold", x.dtype(), [&]<class T>(T) {
    const T* const from = x.data<T>();
    T* const to = patches.mutable_data<T>();
    const int64_t places = p.rows * p.columns, plane = p.H * p.W;
    parallel_for(p.B * places, tile_of_items(p.width()), [&, places, plane](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t b = item / places, place = item % places;
        T* const patch = to + item * p.width();
        std::fill_n(patch, p.width(), T{0});
        for (int64_t c = 0; c < p.C; ++c) {
          const T* const picture = from + (b * p.C + c) * plane;
          for_patch(p, place / p.columns, place % p.columns,
                    [&](int64_t offset, int64_t index) { patch[c * p.kernel + index] = picture[offset]; });
        }
      }
    });
  });
  return patches;
}

Array fold(const Array& patches, const Shape& shape, const Window& window) {
  const Patches p = patches_of("fold", shape, window);
  const int64_t places = p.rows * p.columns;
  if (patches.shape() != Shape{p.B, places, p.width()})
    fail<ShapeError>("fold: patches are ", patches.shape(), ", for x ", shape, " they must be ",
                     Shape{p.B, places, p.width()});
  Array x = Array::zeros(shape, patches.dtype());
  if (patches.size() == 0) return x;
  const KernelScope profile("fold", patches.size(), patches, x);
  visit_floating("fold", patches.dtype(), [&]<class T>(T) {
    const T* const from = patches.data<T>();
    T* const to = x.mutable_data<T>();
    const int64_t plane = p.H * p.W;
    parallel_for(p.B * p.C, tile_of_items(places * p.kernel), [&, places, plane](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t b = item / p.C, c = item % p.C;
        T* const picture = to + item * plane;
        for (int64_t place = 0; place < places; ++place) {
          const T* const patch = from + (b * places + place) * p.width() + c * p.kernel;
          for_patch(p, place / p.columns, place % p.columns,
                    [&](int64_t offset, int64_t index) { picture[offset] += patch[index]; });
        }
      }
    });
  });
  return x;
}

Array grouped_linear(const Array& x, const Array& weight, const Array& bias, int64_t groups) {
  const Block block = block_of("grouped_linear", x, weight, groups);
  const int64_t rows = block.rows, inputs = block.inputs, outputs = block.outputs, all = groups * outputs;
  if (groups == 1) return linear(x, weight.reshape({all, inputs}), bias);
  if (bias.defined()) {
    check_same_type("grouped_linear", "x", x, "bias", bias);
    if (bias.shape() != Shape{all})
      fail<ShapeError>("grouped_linear: bias is ", bias.shape(), ", weight ", weight.shape(),
                       ": bias must be ", Shape{all});
  }
  Array y(x.shape().with(-1, all), x.dtype());
  const KernelScope profile("grouped_linear", 2 * y.size() * inputs, x, weight, y);
  visit_floating("grouped_linear", x.dtype(), [&]<class T>(T) {
    T* const to = y.mutable_data<T>();
    const T* const add = bias.defined() ? bias.data<T>() : nullptr;
    for (int64_t g = 0; g < groups; ++g) {
      const MatrixView<T> left{x.data<T>() + g * inputs, groups * inputs, 1};
      const MatrixView<T> right{weight.data<T>() + g * outputs * inputs, 1, inputs};
      T* const part = to + g * outputs;
      if constexpr (std::is_same_v<T, float>) {
        gemm(rows, outputs, inputs, left, right, part, all, false, add ? add + g * outputs : nullptr);
      } else {
        gemm(rows, outputs, inputs, left, right, part, all, false);
      }
    }
    if (std::is_same_v<T, double> && add)
      for (int64_t i = 0; i < y.size(); ++i) to[i] += add[i % all];
  });
  return y;
}

void accumulate_grouped_outer(Array& into, const Array& dy, const Array& x, int64_t groups, bool fresh) {
  const Block block = block_of("accumulate_grouped_outer", x, into, groups);
  const int64_t rows = block.rows, inputs = block.inputs, outputs = block.outputs, all = groups * outputs;
  check_same_type("accumulate_grouped_outer", "dy", dy, "x", x);
  if (dy.shape() != x.shape().with(-1, all))
    fail<ShapeError>("accumulate_grouped_outer: dy is ", dy.shape(), " for x ", x.shape(), " and a weight ",
                     into.shape());
  const KernelScope profile("accumulate_grouped_outer", 2 * dy.size() * inputs, dy, x, into, into);
  if (into.size() == 0) return;
  visit_floating("accumulate_grouped_outer", x.dtype(), [&]<class T>(T) {
    T* const to = into.mutable_data<T>();
    for (int64_t g = 0; g < groups; ++g)
      gemm(outputs, inputs, rows, {dy.data<T>() + g * outputs, 1, all},
           MatrixView<T>{x.data<T>() + g * inputs, groups * inputs, 1}, to + g * outputs * inputs, inputs,
           !fresh);
  });
}

}  // namespace weft::kernels
