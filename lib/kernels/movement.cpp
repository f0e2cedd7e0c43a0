#include <emmintrin.h>
#include <weft/lib/base/join.h>
#include <weft/lib/kernels/elementwise/broadcast.h>
#include <weft/lib/kernels/movement.h>
#include <weft/lib/kernels/strides.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

#include <cstring>

namespace weft::kernels {

namespace {

/// An array read under other extents: element (i, j, ...) lies at the sum of index times stride.
struct View {
  std::array<int64_t, Shape::max_rank> extents{};
  Strides strides{};
  size_t rank = 0;

  /// Takes a further, inner axis; one that only continues the axis before it is merged with it.
  void append(int64_t extent, int64_t stride) {
    if (extent == 1) return;
    if (rank > 0 && strides[rank - 1] == extent * stride) {
      extents[rank - 1] *= extent;
      strides[rank - 1] = stride;
    } else {
      extents[rank] = extent;
      strides[rank++] = stride;
    }
  }
  Shape shape(size_t axes) const { return Shape(std::span<const int64_t>(extents.data(), axes)); }
};

/// The last axis is dense: rows are copied whole.
template <class T>
void copy_rows(const T* from, T* to, const View& view) {
  const size_t last = view.rank - 1;
  const int64_t length = view.extents[last];
  const Shape outer = view.shape(last);
  parallel_for(outer.size(), tile_of_items(length), [&](int64_t begin, int64_t end) {
    Walk walk(outer, view.strides, begin);
    for (int64_t row = begin; row < end; ++row, walk.next())
      std::copy_n(from + walk.offset(), length, to + row * length);
  });
}

constexpr int64_t side = 32;

/// to[i * to_stride + j] = from[i + j * from_stride] for i, j < 4.
template <class T>
void transpose_quad(const T* from, int64_t from_stride, T* to, int64_t to_stride) {
  if constexpr (sizeof(T) == 4) {
    const auto load = [=](int64_t j) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + j * from_stride));
    };
    const auto store = [=](int64_t i, __m128i row) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i * to_stride), row);
    };
    const __m128i a = load(0), b = load(1), c = load(2), d = load(3);
    const __m128i ab = _mm_unpacklo_epi32(a, b), cd = _mm_unpacklo_epi32(c, d);
    const __m128i ab_high = _mm_unpackhi_epi32(a, b), cd_high = _mm_unpackhi_epi32(c, d);
    store(0, _mm_unpacklo_epi64(ab, cd));
    store(1, _mm_unpackhi_epi64(ab, cd));
    store(2, _mm_unpacklo_epi64(ab_high, cd_high));
    store(3, _mm_unpackhi_epi64(ab_high, cd_high));
  } else {
    for (int64_t i = 0; i < 4; ++i) {
      for (int64_t j = 0; j < 4; ++j) to[i * to_stride + j] = from[i + j * from_stride];
    }
  }
}

/// Block of at most side x side: to[i * to_stride + j] = from[i + j * from_stride].
template <class T>
void transpose_block(const T* from, int64_t from_stride, T* to, int64_t to_stride, int64_t rows,
                     int64_t columns) {
  const int64_t whole_rows = rows / 4 * 4, whole_columns = columns / 4 * 4;
  for (int64_t i = 0; i < whole_rows; i += 4) {
    for (int64_t j = 0; j < whole_columns; j += 4)
      transpose_quad(from + i + j * from_stride, from_stride, to + i * to_stride + j, to_stride);
  }
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = i < whole_rows ? whole_columns : 0; j < columns; ++j)
      to[i * to_stride + j] = from[i + j * from_stride];
  }
}

/// The dense axis of `from` is axis `dense` of the view, the last axis of the result is another: planes of
/// these two are transposed block by block.
template <class T>
void copy_transposed(const T* from, T* to, const View& view, size_t dense) {
  const size_t last = view.rank - 1;
  const int64_t rows = view.extents[dense], columns = view.extents[last];
  const Strides to_strides = dense_strides(view.shape(view.rank));
  const int64_t row_blocks = (rows + side - 1) / side, column_blocks = (columns + side - 1) / side;

  // Planes and then blocks within the plane, as one index space; the dense axis counts blocks.
  View blocks = view;
  blocks.extents[dense] = row_blocks;
  blocks.extents[last] = column_blocks;
  blocks.strides[dense] = side;
  blocks.strides[last] *= side;
  Strides block_to = to_strides;
  block_to[dense] *= side;
  block_to[last] = side;
  const Shape space = blocks.shape(view.rank);
  parallel_for(
      space.size(), tile_of_items(std::min(rows, side) * std::min(columns, side)),
      [&](int64_t begin, int64_t end) {
        Walk source(space, blocks.strides, begin), target(space, block_to, begin);
        const int64_t rows_inside = dense_strides(space)[dense];
        for (int64_t block = begin; block < end; ++block, source.next(), target.next()) {
          const int64_t row = block / rows_inside % row_blocks * side, column = block % column_blocks * side;
          transpose_block(from + source.offset(), view.strides[last], to + target.offset(), to_strides[dense],
                          std::min(side, rows - row), std::min(side, columns - column));
        }
      });
}

/// Calls f(row, offset, bytes) for pieces that make up `rows` runs of `run` bytes each.
template <class F>
void for_runs(int64_t rows, int64_t run, F f) {
  constexpr int64_t piece = 1 << 17;
  if (rows == 0 || run == 0) return;
  const int64_t pieces = (run + piece - 1) / piece;
  parallel_for(rows * pieces, std::max<int64_t>(1, piece / run), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t offset = i % pieces * piece;
      f(i / pieces, offset, static_cast<size_t>(std::min(piece, run - offset)));
    }
  });
}

/// An array as rows of runs around one axis: `rows` runs of `run` bytes, one for each index of the axes
/// before it.
struct Runs {
  int64_t rows = 1, unit = 1, run = 1;
  Runs(const Shape& shape, int axis, DType dtype) : unit(static_cast<int64_t>(size_of(dtype))) {
    for (int i = 0; i < axis; ++i) rows *= shape[i];
    for (int i = axis + 1; i < shape.rank(); ++i) unit *= shape[i];
    run = unit * shape[axis];
  }
};

void copy_runs(const void* from, int64_t from_stride, void* to, int64_t to_stride, int64_t rows,
               int64_t run) {
  for_runs(rows, run, [=](int64_t row, int64_t offset, size_t bytes) {
    std::memcpy(static_cast<char*>(to) + row * to_stride + offset,
                static_cast<const char*>(from) + row * from_stride + offset, bytes);
  });
}

void zero_runs(void* to, int64_t stride, int64_t rows, int64_t run) {
  for_runs(rows, run, [=](int64_t row, int64_t offset, size_t bytes) {
    std::memset(static_cast<char*>(to) + row * stride + offset, 0, bytes);
  });
}

}  // namespace

Array permute(const Array& x, std::span<const int> order) {
  const Shape from = x.shape();
  std::array<bool, Shape::max_rank> seen{};
  bool valid = static_cast<int>(order.size()) == from.rank();
  for (size_t i = 0; valid && i < order.size(); ++i) {
    valid = order[i] >= 0 && order[i] < from.rank() && !seen[static_cast<size_t>(order[i])];
    if (valid) seen[static_cast<size_t>(order[i])] = true;
  }
  if (!valid)
    fail<ShapeError>("permute: the order (", joined(order), ") does not name every axis of ", from, " once");
  const Strides strides = dense_strides(from);
  Strides extents{};
  View view;
  for (size_t i = 0; i < order.size(); ++i) {
    extents[i] = from[order[i]];
    view.append(extents[i], strides[static_cast<size_t>(order[i])]);
  }
  const Shape shape(std::span<const int64_t>(extents.data(), order.size()));
  if (shape.size() <= 1) return x.copy().reshape(shape);
  Array y(shape, x.dtype());
  const KernelScope profile("permute", 0, x, y);
  const auto dense =
      static_cast<size_t>(std::find(view.strides.begin(), view.strides.end(), 1) - view.strides.begin());
  visit_dtype(x.dtype(), [&]<class T>(T) {
    if (dense + 1 == view.rank) {
      copy_rows(x.data<T>(), y.mutable_data<T>(), view);
    } else {
      copy_transposed(x.data<T>(), y.mutable_data<T>(), view, dense);
    }
  });
  return y;
}

Array broadcast_to(const Array& x, const Shape& shape) {
  if (!broadcasts_to(x.shape(), shape))
    fail<ShapeError>("broadcast_to: ", x.shape(), " does not broadcast to ", shape);
  Array y(shape, x.dtype());
  const KernelScope profile("broadcast_to", 0, x, y);
  const Broadcast<1> walk(shape, {&x.shape()});
  visit_dtype(x.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    parallel_for(y.size(), elementwise_tile, [&](int64_t begin, int64_t end) {
      walk.for_runs(begin, end, [&](const std::array<int64_t, 1>& offset, int64_t first, int64_t n) {
        if (walk.stands_still(0)) {
          std::fill_n(to + first, n, from[offset[0]]);
        } else {
          std::copy_n(from + offset[0], n, to + first);
        }
      });
    });
  });
  return y;
}

Array slice(const Array& x, int axis, int64_t begin, int64_t end) {
  const int place = normal_axis("slice", axis, x.rank());
  if (begin < 0 || begin > end || end > x.shape()[place]) {
    fail<ShapeError>("slice: [", begin, ", ", end, ") does not lie in axis ", place, " of ", x.shape());
  }
  Array y(x.shape().with(place, end - begin), x.dtype());
  const KernelScope profile("slice", 0, y, y);
  const Runs from(x.shape(), place, x.dtype()), to(y.shape(), place, x.dtype());
  copy_runs(static_cast<const char*>(x.bytes()) + begin * from.unit, from.run, y.mutable_bytes(), to.run,
            to.rows, to.run);
  return y;
}

Array unslice(const Array& x, const Shape& shape, int axis, int64_t begin) {
  const int place = normal_axis("unslice", axis, shape.rank());
  const bool fits = x.rank() == shape.rank() && x.shape() == shape.with(place, x.shape()[place]) &&
                    begin >= 0 && x.shape()[place] <= shape[place] &&
                    begin <= shape[place] - x.shape()[place];
  if (!fits)
    fail<ShapeError>("unslice: ", x.shape(), " at ", begin, " of axis ", place, " does not fit into ", shape);
  Array y(shape, x.dtype());
  const KernelScope profile("unslice", 0, x, y);
  const Runs from(x.shape(), place, x.dtype()), to(shape, place, x.dtype());
  char* target = static_cast<char*>(y.mutable_bytes());
  const int64_t before = begin * to.unit, after = before + from.run;
  zero_runs(target, to.run, to.rows, before);
  copy_runs(x.bytes(), from.run, target + before, to.run, to.rows, from.run);
  zero_runs(target + after, to.run, to.rows, to.run - after);
  return y;
}

Array cat(const std::vector<Array>& parts, int axis) {
  if (parts.empty()) fail<ShapeError>("cat: no arrays are given");
  const Array& first = parts.front();
  const int place = normal_axis("cat", axis, first.rank());
  int64_t extent = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Array& part = parts[i];
    if (part.dtype() != first.dtype() && is_single(part.dtype()) && is_single(first.dtype())) {
      std::vector<Array> wide;
      for (const Array& each : parts) wide.push_back(each.to(float32));
      return cat(wide, axis);
    }
    if (part.dtype() != first.dtype()) {
      fail<TypeError>("cat: array 0 is ", first.dtype(), ", array ", i, " is ", part.dtype());
    }
    if (part.rank() != first.rank() || !(part.shape() == first.shape().with(place, part.shape()[place]))) {
      fail<ShapeError>("cat: extents other than axis ", place, " differ: array 0 is ", first.shape(),
                       ", array ", i, " is ", part.shape());
    }
    if (__builtin_add_overflow(extent, part.shape()[place], &extent)) {
      fail<ShapeError>("cat: the sum of the extents of axis ", place, " is too large");
    }
  }
  Array y(first.shape().with(place, extent), first.dtype());
  const KernelScope profile("cat", 0, y, y);
  const Runs to(y.shape(), place, y.dtype());
  char* target = static_cast<char*>(y.mutable_bytes());
  for (const Array& part : parts) {
    const int64_t run = to.unit * part.shape()[place];
    copy_runs(part.bytes(), run, target, to.run, to.rows, run);
    target += run;
  }
  return y;
}

Array tril(int64_t rows, int64_t columns, int64_t offset) {
  Array y({rows, columns}, boolean);
  bool* values = y.mutable_data<bool>();
  const int64_t shift = std::clamp(offset, -rows, columns);
  parallel_for(rows, tile_of_items(columns), [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t ones = std::clamp<int64_t>(i + 1 + shift, 0, columns);
      std::fill_n(values + i * columns, ones, true);
      std::fill_n(values + i * columns + ones, columns - ones, false);
    }
  });
  return y;
}

}  // namespace weft::kernels
