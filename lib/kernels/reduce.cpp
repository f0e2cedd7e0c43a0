#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/reduce.h>
#include <weft/lib/kernels/strides.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

#include <cmath>
#include <limits>
#include <type_traits>

namespace weft::kernels {

namespace {

constexpr int64_t lanes = 16;
/// Elements of a long row that make one partial result.
constexpr int64_t row_tile = 1 << 16;

struct Sum {
  template <class T>
  using Result = std::conditional_t<std::is_floating_point_v<T>, T, int64_t>;
  template <class T>
  static T identity() {
    return T{0};
  }
  template <class T>
  static T join(T a, T b) {
    return a + b;
  }
};

struct Max {
  template <class T>
  using Result = T;
  template <class T>
  static T identity() {
    if constexpr (std::is_floating_point_v<T>) return -std::numeric_limits<T>::infinity();
    return std::numeric_limits<T>::lowest();
  }
  template <class T>
  static T join(T a, T b) {
    return ((b > a) | (b != b)) ? b : a;
  }
};

/// 16 partial results over at most row_tile elements, joined as (0, 8) (1, 9) ..., then 4, 2 and 1 apart.
template <class Op, class Out, class In, class Map>
Out reduce_run(const In* x, int64_t count, Map map) {
  Out partial[lanes];
  std::fill_n(partial, lanes, Op::template identity<Out>());
  const int64_t whole = count / lanes * lanes;
  for (int64_t i = 0; i < whole; i += lanes) {
    for (int64_t k = 0; k < lanes; ++k) partial[k] = Op::join(partial[k], map(x[i + k]));
  }
  for (int64_t k = 0; whole + k < count; ++k) partial[k] = Op::join(partial[k], map(x[whole + k]));
  for (int64_t apart = lanes / 2; apart > 0; apart /= 2) {
    for (int64_t k = 0; k < apart; ++k) partial[k] = Op::join(partial[k], partial[k + apart]);
  }
  return partial[0];
}

/// y[r] = the reduction of row r of x (rows, length). Rows longer than row_tile: of each tile, joined in
/// order.
template <class Op, class Out, class In, class Map>
void reduce_rows(const In* x, Out* y, int64_t rows, int64_t length, Map map) {
  const int64_t pieces = std::max<int64_t>(1, (length + row_tile - 1) / row_tile);
  Array partial({pieces == 1 ? 0 : rows * pieces}, dtype_of<Out>());
  Out* results = pieces == 1 ? y : partial.mutable_data<Out>();
  parallel_for(rows * pieces, tile_of_items(std::min(length, row_tile)), [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i % pieces * row_tile;
      results[i] =
          reduce_run<Op, Out>(x + i / pieces * length + first, std::min(row_tile, length - first), map);
    }
  });
  if (pieces == 1) return;
  for (int64_t r = 0; r < rows; ++r) {
    y[r] = results[r * pieces];
    for (int64_t piece = 1; piece < pieces; ++piece) y[r] = Op::join(y[r], results[r * pieces + piece]);
  }
}

/// y[o][i] = join(... join(join(y[o][i], x[o][0][i]), x[o][1][i]) ...): one chain an output. It begins at the
/// value that y holds, or at the identity when y is `fresh`.
template <class Op, class Out, class In>
void reduce_columns(const In* x, Out* y, int64_t outer, int64_t length, int64_t inner, bool fresh) {
  if (outer == 0 || inner == 0) return;
  const int64_t width = std::min(inner, std::clamp<int64_t>((inner / lanes + 63) / 64 * 64, 64, 4096));
  const int64_t pieces = (inner + width - 1) / width;
  parallel_for(outer * pieces, tile_of_items(length * width), [=](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t first = item % pieces * width, count = std::min(width, inner - first);
      const In* from = x + item / pieces * length * inner + first;
      Out* to = y + item / pieces * inner + first;
      if (fresh) std::fill_n(to, count, Op::template identity<Out>());
      int64_t row = 0;
      // Four rows at a time spare three of four passes over y; the order of the chain stays.
      for (; row + 4 <= length; row += 4, from += 4 * inner) {
        const In *a = from, *b = a + inner, *c = b + inner, *d = c + inner;
        for (int64_t i = 0; i < count; ++i) {
          const Out two = Op::join(Op::join(to[i], static_cast<Out>(a[i])), static_cast<Out>(b[i]));
          to[i] = Op::join(Op::join(two, static_cast<Out>(c[i])), static_cast<Out>(d[i]));
        }
      }
      for (; row < length; ++row, from += inner) {
        for (int64_t i = 0; i < count; ++i) to[i] = Op::join(to[i], static_cast<Out>(from[i]));
      }
    }
  });
}

using Flags = std::array<bool, Shape::max_rank>;

/// A run of adjacent axes that are all reduced, or all kept.
struct Group {
  bool reduced;
  int64_t extent;
};

std::vector<Group> groups_of(const Shape& shape, const Flags& reduced) {
  std::vector<Group> groups;
  for (int i = 0; i < shape.rank(); ++i) {
    const bool flag = reduced[static_cast<size_t>(i)];
    if (groups.empty() || groups.back().reduced != flag) groups.push_back({flag, 1});
    groups.back().extent *= shape[i];
  }
  return groups;
}

template <class Op, class In>
Array reduce_group(const Array& x, const std::vector<Group>& groups, size_t at) {
  using Out = typename Op::template Result<In>;
  int64_t outer = 1, inner = 1;
  for (size_t i = 0; i < groups.size(); ++i) {
    if (i != at) (i < at ? outer : inner) *= groups[i].extent;
  }
  Array y({outer, inner}, dtype_of<Out>());
  if (at + 1 == groups.size()) {
    reduce_rows<Op>(x.data<In>(), y.mutable_data<Out>(), outer, groups[at].extent,
                    [](In value) { return static_cast<Out>(value); });
  } else {
    reduce_columns<Op>(x.data<In>(), y.mutable_data<Out>(), outer, groups[at].extent, inner, true);
  }
  return y;
}

DType sum_type(DType dtype) { return dtype == bfloat16 ? float32 : is_floating(dtype) ? dtype : int64; }

/// Reduces the flagged axes, one group after another from the last to the first.
template <class Op>
Array reduce(const Array& x, const Flags& reduced, const Shape& shape) {
  std::vector<Group> groups = groups_of(x.shape(), reduced);
  Array y = x;
  for (size_t at = groups.size(); at-- > 0;) {
    if (!groups[at].reduced) continue;
    y = visit_numbers("reduce", y.dtype(), [&]<class T>(T) { return reduce_group<Op, T>(y, groups, at); });
    groups[at].extent = 1;
  }
  return y.reshape(shape);
}

Flags flags_of(const std::vector<int>& axes) {
  Flags flags{};
  for (const int axis : axes) flags[static_cast<size_t>(axis)] = true;
  return flags;
}

Shape reduced_shape(const Shape& shape, const std::vector<int>& axes, bool keepdim) {
  Shape result = shape;
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    result = keepdim ? result.with(*axis, 1) : result.without(*axis);
  }
  return result;
}

Array max_over(const char* op, const Array& x, const std::vector<int>& axes, bool keepdim) {
  for (const int axis : axes) {
    if (x.shape()[axis] == 0) fail<ShapeError>(op, ": no elements along axis ", axis, " of ", x.shape());
  }
  return reduce<Max>(axes.empty() ? x.copy() : x, flags_of(axes), reduced_shape(x.shape(), axes, keepdim));
}

}  // namespace

std::vector<int> normal_axes(const char* op, std::span<const int> axes, int rank) {
  std::vector<int> normal;
  for (const int axis : axes) normal.push_back(normal_axis(op, axis, rank));
  for (int i = 0; axes.empty() && i < rank; ++i) normal.push_back(i);
  std::sort(normal.begin(), normal.end());
  const auto twice = std::adjacent_find(normal.begin(), normal.end());
  if (twice != normal.end()) fail<ShapeError>(op, ": axis ", *twice, " is named twice");
  return normal;
}

Array sum(const Array& x, std::span<const int> axes, bool keepdim) {
  const std::vector<int> normal = normal_axes("sum", axes, x.rank());
  const KernelScope profile("sum", 0, x);
  if (x.dtype() == bfloat16) return sum(x.to(float32), axes, keepdim);
  if (normal.empty()) return x.to(sum_type(x.dtype())).copy();
  return reduce<Sum>(x, flags_of(normal), reduced_shape(x.shape(), normal, keepdim));
}

Array max(const Array& x, std::span<const int> axes, bool keepdim) {
  const KernelScope profile("max", 0, x);
  if (x.dtype() == bfloat16) return max(x.to(float32), axes, keepdim).to(bfloat16);
  return max_over("max", x, normal_axes("max", axes, x.rank()), keepdim);
}

Array argmax(const Array& x, int axis, bool keepdim) {
  const int place = normal_axis("argmax", axis, x.rank());
  const KernelScope profile("argmax", 0, x);
  if (x.dtype() == bfloat16) return argmax(x.to(float32), axis, keepdim);
  const Array largest = max_over("argmax", x, {place}, keepdim);
  Array y(largest.shape(), int64);
  const int64_t length = x.shape()[place], inner = dense_strides(x.shape())[static_cast<size_t>(place)];
  visit_numbers("argmax", x.dtype(), [&]<class T>(T) {
    const T* values = x.data<T>();
    const T* top = largest.data<T>();
    int64_t* index = y.mutable_data<int64_t>();
    parallel_for(y.size(), tile_of_items(length), [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T* column = values + i / inner * length * inner + i % inner;
        const bool nan = top[i] != top[i];
        int64_t k = 0;
        while (nan ? column[k * inner] == column[k * inner] : column[k * inner] != top[i]) ++k;
        index[i] = k;
      }
    });
  });
  return y;
}

Array sum_to(const Array& x, const Shape& shape) {
  if (x.shape() == shape) return x.to(sum_type(x.dtype()));
  if (!broadcasts_to(shape, x.shape()))
    fail<ShapeError>("sum_to: ", shape, " does not broadcast to ", x.shape());
  Array y = Array::zeros(shape, sum_type(x.dtype()));
  accumulate_to(y, x);
  return y;
}

void accumulate_to(Array& into, const Array& x) {
  if (!broadcasts_to(into.shape(), x.shape())) {
    fail<ShapeError>("accumulate_to: ", into.shape(), " does not broadcast to ", x.shape());
  }
  if (into.dtype() != sum_type(x.dtype())) {
    fail<TypeError>("accumulate_to: sums of ", x.dtype(), " do not go into ", into.dtype());
  }
  const KernelScope profile("accumulate_to", 0, x, into, into);
  const int added = x.rank() - into.rank();
  const auto summed = [&](int axis) { return axis < added || into.shape()[axis - added] == 1; };
  int leading = 0;
  while (leading < x.rank() && summed(leading)) ++leading;
  // With nothing kept, axis 0, the sample, still is the chain; each sample is summed on its own.
  if (leading == x.rank()) leading = std::min(leading, 1);
  int64_t length = 1;
  for (int i = 0; i < leading; ++i) length *= x.shape()[i];
  Flags inner{};
  for (int i = leading; i < x.rank(); ++i) inner[static_cast<size_t>(i)] = summed(i) && x.shape()[i] != 1;
  if (x.dtype() == bfloat16) {
    if (std::ranges::find(inner, true) != inner.end()) return accumulate_to(into, x.to(float32));
    return reduce_columns<Sum>(x.data<BFloat16>(), into.mutable_data<float>(), 1, length, into.size(), false);
  }
  const Array rows = reduce<Sum>(x, inner, Shape{length, into.size()});
  visit_numbers("accumulate_to", rows.dtype(), [&]<class T>(T) {
    using Out = Sum::Result<T>;
    reduce_columns<Sum>(rows.data<T>(), into.mutable_data<Out>(), 1, length, into.size(), false);
  });
}

double squared_norm(const Array& x) {
  const KernelScope profile("squared_norm", 0, x);
  double sum = 0;
  if (x.dtype() == float32) {
    constexpr int64_t piece = 1 << 14;
    const int64_t pieces = (x.size() + piece - 1) / piece;
    Array partial({pieces}, float64);
    double* const results = partial.mutable_data<double>();
    const float* const values = x.data<float>();
    const auto run = isa::table().rows.squared_norm;
    parallel_for(x.size(), piece, [=](int64_t begin, int64_t end) {
      results[begin / piece] = run(values + begin, end - begin);
    });
    for (int64_t i = 0; i < pieces; ++i) sum += results[i];
    return sum;
  }
  if (x.dtype() == bfloat16) return squared_norm(x.to(float32));
  visit_floating("squared_norm", x.dtype(), [&]<class T>(T) {
    reduce_rows<Sum>(x.data<T>(), &sum, 1, x.size(), [](T value) {
      const double wide = static_cast<double>(value);
      return wide * wide;
    });
  });
  return sum;
}

double max_abs(const Array& x) {
  const KernelScope profile("max_abs", 0, x);
  if (x.size() == 0) return 0;
  if (x.dtype() == bfloat16) return max_abs(x.to(float32));
  double largest = 0;
  visit_numbers("max_abs", x.dtype(), [&]<class T>(T) {
    reduce_rows<Max>(x.data<T>(), &largest, 1, x.size(),
                     [](T value) { return std::fabs(static_cast<double>(value)); });
  });
  return largest;
}

}  // namespace weft::kernels
