// What the tests of kernels share: arrays with known contents, and index arithmetic by definition.
#pragma once

#include <doctest/doctest.h>
#include <weft/lib/array/array.h>
#include <weft/lib/machine/parallel.h>

#include <cstdint>
#include <random>
#include <vector>

namespace naive {

using Index = std::vector<int64_t>;

/// 1, 2, 3, ... in row-major order.
inline weft::Array numbered(const weft::Shape& shape, weft::DType dtype = weft::float32) {
  std::vector<int64_t> values(static_cast<size_t>(shape.size()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int64_t>(i) + 1;
  return weft::Array::from(values, shape).to(dtype);
}

/// Numbers in (-1, 1) whose sums depend on their order; the same in every run.
inline weft::Array random(const weft::Shape& shape, weft::DType dtype = weft::float32, unsigned seed = 1) {
  std::mt19937_64 bits(seed);
  std::vector<double> values(static_cast<size_t>(shape.size()));
  for (double& value : values) value = static_cast<double>(static_cast<int64_t>(bits())) * 0x1p-63;
  return weft::Array::from(values, shape).to(dtype);
}

inline weft::Array random_ids(const weft::Shape& shape, int64_t count, unsigned seed = 2) {
  std::mt19937_64 bits(seed);
  std::vector<int64_t> values(static_cast<size_t>(shape.size()));
  for (int64_t& value : values) value = static_cast<int64_t>(bits() % static_cast<uint64_t>(count));
  return weft::Array::from(values, shape);
}

/// f(index, position) for every element in row-major order.
template <class F>
void for_each(const weft::Shape& shape, F f) {
  Index index(static_cast<size_t>(shape.rank()));
  for (int64_t flat = 0; flat < shape.size(); ++flat) {
    int64_t rest = flat;
    for (int i = shape.rank() - 1; i >= 0; --i) {
      index[static_cast<size_t>(i)] = rest % shape[i];
      rest /= shape[i];
    }
    f(index, flat);
  }
}

inline int64_t flat(const weft::Shape& shape, const Index& index) {
  int64_t position = 0;
  for (int i = 0; i < shape.rank(); ++i) position = position * shape[i] + index[static_cast<size_t>(i)];
  return position;
}

/// The position in an array of shape `from` that broadcasting brings to `index`.
inline int64_t broadcast_flat(const weft::Shape& from, const Index& index) {
  Index part(index.end() - from.rank(), index.end());
  for (int i = 0; i < from.rank(); ++i) {
    if (from[i] == 1) part[static_cast<size_t>(i)] = 0;
  }
  return flat(from, part);
}

/// Checks that make() gives the same bits with 1, 2, 3 and 4 threads.
template <class F>
void same_for_threads(F make) {
  const int before = weft::num_threads();
  weft::set_num_threads(1);
  const weft::Array expected = make();
  for (const int threads : {2, 3, 4}) {
    weft::set_num_threads(threads);
    CHECK(make().identical(expected));
  }
  weft::set_num_threads(before);
}

}  // namespace naive
