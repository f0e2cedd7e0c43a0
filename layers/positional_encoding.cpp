#include <weft/layers/positional_encoding.h>
#include <weft/lib/base/math.h>
#include <weft/lib/kernels/movement.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <vector>

namespace weft {

Array sinusoidal_table(int64_t length, int64_t width) {
  if (width < 2 || width % 2 != 0) fail<ValueError>("sinusoidal_table: the width ", width, " is not even");
  Array table({length, width}, float64);
  double* const values = table.mutable_data<double>();
  std::vector<double> frequencies(static_cast<size_t>(width / 2));
  for (int64_t i = 0; i < width / 2; ++i)
    frequencies[static_cast<size_t>(i)] =
        math::pow(10000.0, -2.0 * static_cast<double>(i) / static_cast<double>(width));
  parallel_for(length, 16, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t)
      for (int64_t i = 0; i < width / 2; ++i) {
        const double angle = static_cast<double>(t) * frequencies[static_cast<size_t>(i)];
        values[t * width + 2 * i] = math::sin(angle);
        values[t * width + 2 * i + 1] = math::cos(angle);
      }
  });
  return table;
}

namespace {

void check_places(const char* op, const Tensor& x, int64_t offset, int64_t length, int64_t width) {
  if (x.rank() != 3 || x.dim(2) != width)
    fail<ShapeError>(op, ": x is ", x.shape(), ", the positions are (", length, ", ", width,
                     "): needs (B, T, ", width, ")");
  if (offset < 0 || offset + x.dim(1) > length) {
    fail<ShapeError>(op, ": x is ", x.shape(), " at place ", offset, ", but there are only ", length,
                     " positions");
  }
}

}  // namespace

Tensor SinusoidalPositionalEncoding::forward(const Tensor& x) const {
  check_places("SinusoidalPositionalEncoding", x, 0, table_.dim(0), table_.dim(1));
  return x + Tensor(kernels::slice(table_, 0, 0, x.dim(1)).to(x.dtype()));
}

Tensor SinusoidalPositionalEncoding::forward(const Tensor& x, std::span<const int64_t> offsets) const {
  const char* const op = "SinusoidalPositionalEncoding";
  const int64_t length = table_.dim(0);
  check_places(op, x, 0, std::max(length, x.rank() == 3 ? x.dim(1) : 0), table_.dim(1));
  const int64_t B = x.dim(0), T = x.dim(1);
  if (static_cast<int64_t>(offsets.size()) != B)
    fail<ShapeError>(op, ": x is ", x.shape(), ", with ", offsets.size(), " offsets");
  Array places({B, T}, int64);
  int64_t* const values = places.mutable_data<int64_t>();
  for (int64_t b = 0; b < B; ++b)
    for (int64_t t = 0; t < T; ++t)
      values[b * T + t] = std::min(offsets[static_cast<size_t>(b)] + t, length - 1);
  return x + Tensor(kernels::take_rows(table_, places).to(x.dtype()));
}

Tensor LearnedPositionalEncoding::forward(const Tensor& x, int64_t offset) const {
  check_places("LearnedPositionalEncoding", x, offset, weight.dim(0), weight.dim(1));
  // Both ways the gradient of a row is one chain over the samples, which goes on across micro-batches; that
  // of a slice would not be.
  if (x.dim(1) == weight.dim(0)) return x + weight;
  Array places({x.dim(0), x.dim(1)}, int64);
  int64_t* const values = places.mutable_data<int64_t>();
  for (int64_t i = 0; i < places.size(); ++i) values[i] = offset + i % x.dim(1);
  return x + embedding(places, weight);
}

Tensor LearnedPositionalEncoding::forward(const Tensor& x, std::span<const int64_t> offsets,
                                          std::span<const int64_t> lengths) const {
  const char* const op = "LearnedPositionalEncoding";
  const int64_t length = weight.dim(0);
  check_places(op, x, 0, std::max(length, x.rank() == 3 ? x.dim(1) : 0), weight.dim(1));
  const int64_t B = x.dim(0), T = x.dim(1);
  const auto fits = [&](std::span<const int64_t> numbers) {
    return static_cast<int64_t>(numbers.size()) == B;
  };
  if (!fits(offsets) || !(lengths.empty() || fits(lengths)))
    fail<ShapeError>(op, ": x is ", x.shape(), ", with ", offsets.size(), " offsets and ", lengths.size(),
                     " lengths");
  Array places({B, T}, int64);
  int64_t* const values = places.mutable_data<int64_t>();
  for (int64_t b = 0; b < B; ++b) {
    const size_t row = static_cast<size_t>(b);
    const int64_t count = lengths.empty() ? T : lengths[row];
    if (offsets[row] < 0 || count < 0 || count > T || offsets[row] + count > length)
      fail<ShapeError>(op, ": row ", b, " has ", count, " tokens of x ", x.shape(), " at place ",
                       offsets[row], ", but there are only ", length, " positions");
    for (int64_t t = 0; t < T; ++t) values[b * T + t] = std::min(offsets[row] + t, length - 1);
  }
  return x + embedding(places, weight);
}

Tensor LearnedPositionalEncoding::forward(const Tensor& x, const Array& places) const {
  check_places("LearnedPositionalEncoding", x, 0, std::max(weight.dim(0), x.rank() == 3 ? x.dim(1) : 0),
               weight.dim(1));
  if (places.shape() != Shape{x.dim(0), x.dim(1)})
    fail<ShapeError>("LearnedPositionalEncoding: x is ", x.shape(), ", places ", places.shape(),
                     ": needs (B, T)");
  return x + embedding(places, weight);
}

}  // namespace weft
