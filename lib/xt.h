// The bridge to xtensor: array expressions over weft's buffers, without a copy. Ordinary headers do not
// include it (xtensor costs seconds to compile); link weft::xt, which brings the compiler flag that xtensor
// needs.
//
//   auto x = weft::as_xt<float>(a);                    // a const view
//   auto y = weft::as_xt_mutable<float>(b);
//   y = xt::where(x > 0.0f, x, 0.1f * x);
#pragma once

#include <weft/lib/array/array.h>

#include <cstddef>
#include <vector>
#include <xtensor/xadapt.hpp>

namespace weft {

inline std::vector<size_t> xt_shape(const Shape& shape) { return {shape.begin(), shape.end()}; }

/// Reads the array as an xtensor expression of its shape. TypeError when T is not its element type.
template <class T>
auto as_xt(const Array& array) {
  return xt::adapt(array.data<T>(), static_cast<size_t>(array.size()), xt::no_ownership(),
                   xt_shape(array.shape()));
}

/// Reads and writes it; counts as a change made in place.
template <class T>
auto as_xt_mutable(Array& array) {
  return xt::adapt(array.mutable_data<T>(), static_cast<size_t>(array.size()), xt::no_ownership(),
                   xt_shape(array.shape()));
}

/// The same over `count` elements from `first` on: the form for one tile of a parallel loop.
template <class T>
auto as_xt(const T* first, int64_t count) {
  return xt::adapt(first, static_cast<size_t>(count), xt::no_ownership(),
                   std::array<size_t, 1>{static_cast<size_t>(count)});
}
template <class T>
auto as_xt_mutable(T* first, int64_t count) {
  return xt::adapt(first, static_cast<size_t>(count), xt::no_ownership(),
                   std::array<size_t, 1>{static_cast<size_t>(count)});
}

}  // namespace weft
