// Kernels of floats over arrays of bfloat16: values are widened on their way in and rounded once on their way out, a piece
// at a time, so that what lies between stays in the first cache. Arrays of float32 are read and written where they lie.
#pragma once

#include <weft/lib/array/array.h>
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/elementwise/broadcast.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace weft::kernels {

/// Values of float32 or bfloat16, read as floats. TypeError for others.
class FloatReader {
 public:
  explicit FloatReader(const Array& x)
      : floats_(x.dtype() == bfloat16 ? nullptr : x.data<float>()),
        narrow_(x.dtype() == bfloat16 ? x.data<BFloat16>() : nullptr) {}

  bool narrow() const { return narrow_ != nullptr; }
  /// The values [first, first + n): where they lie, or in `room`.
  const float* at(int64_t first, int64_t n, float* room) const {
    if (!narrow_) return floats_ + first;
    isa::table().elementwise.widen(&narrow_[first].bits, room, n);
    return room;
  }
  /// Into `room`, wherever they lie.
  void copy(int64_t first, int64_t n, float* room) const {
    if (at(first, n, room) != room) std::copy_n(floats_ + first, n, room);
  }

 private:
  const float* floats_;
  const BFloat16* narrow_;
};

/// The same for results: what is written to at(), of bfloat16 put() rounds.
class FloatWriter {
 public:
  explicit FloatWriter(Array& y)
      : floats_(y.dtype() == bfloat16 ? nullptr : y.mutable_data<float>()),
        narrow_(y.dtype() == bfloat16 ? y.mutable_data<BFloat16>() : nullptr) {}

  bool narrow() const { return narrow_ != nullptr; }
  float* at(int64_t first, float* room) const { return narrow_ ? room : floats_ + first; }
  void put(int64_t first, int64_t n, const float* values) const {
    if (narrow_) isa::table().elementwise.narrow(values, &narrow_[first].bits, n);
  }

 private:
  float* floats_;
  BFloat16* narrow_;
};

/// Values that a piece of an elementwise loop over bfloat16 takes.
inline constexpr int64_t narrow_piece = 1024;

/// Calls f(x, y, n) for pieces of n elements that make up `in` and `out`, which are of one shape, each of float32 or
/// bfloat16: x[i] is where those of in[i] are read, y where those of `out` go. `out` may be one of `in`.
template <size_t count, class F>
void for_float_pieces(const std::array<const Array*, count>& in, Array& out, F f) {
  const auto readers = [&]<size_t... i>(std::index_sequence<i...>) {
    return std::array{FloatReader(*in[i])...};
  }
  (std::make_index_sequence<count>());
  const FloatWriter writer(out);
  const bool narrow =
      writer.narrow() || std::ranges::any_of(readers, [](const FloatReader& r) { return r.narrow(); });
  parallel_for(out.size(), elementwise_tile, [&](int64_t begin, int64_t end) {
    alignas(64) float rooms[count + 1][narrow_piece];
    const int64_t step = narrow ? narrow_piece : end - begin;
    for (int64_t first = begin; first < end; first += step) {
      const int64_t n = std::min(step, end - first);
      std::array<const float*, count> x;
      for (size_t i = 0; i < count; ++i) x[i] = readers[i].at(first, n, rooms[i]);
      float* const y = writer.at(first, rooms[count]);
      f(x, y, n);
      writer.put(first, n, y);
    }
  });
}

}  // namespace weft::kernels
