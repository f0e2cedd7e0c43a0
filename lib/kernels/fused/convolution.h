// What convolutions are made of: the patches that a sliding window sees as rows of a matrix, their sum back
// into the picture, and the product with the kernels. float32 and float64.
#pragma once

#include <weft/lib/array/array.h>

#include <array>
#include <cstdint>

namespace weft::kernels {

/// A window over the last two axes of a picture, which has zeros `padding` wide around it. Element i of the
/// window at place p reads the picture at p stride + i dilation - padding.
struct Window {
  static constexpr int64_t most = int64_t{1} << 30;  ///< so that no sum of them overflows
  std::array<int64_t, 2> size, stride{1, 1}, padding{0, 0}, dilation{1, 1};

  /// ValueError, naming `op`, unless size, stride and dilation are at least 1, padding not negative, all at
  /// `most`.
  void check(const char* op) const;
  /// Places along an axis of `extent`: floor((extent + 2 padding - dilation (size - 1) - 1) / stride) + 1. 0
  /// when it does not fit once.
  int64_t places(int axis, int64_t extent) const;
};

/// x (B, C, H, W) -> (B, L, C size[0] size[1]) with L = places(0, H) places(1, W), row by row. ShapeError
/// when the window does not fit.
Array unfold(const Array& x, const Window& window);
/// The reverse: zeros of `shape` (B, C, H, W) to which all patches are added where they were read, each
/// element one chain in the order of places.
Array fold(const Array& patches, const Shape& shape, const Window& window);

/// Block g of y's columns is block g of x's columns times block g of the weight's rows, transposed, plus
/// bias: x (..., groups K), weight (O, ...) of O K values, bias (O) or undefined -> (..., O).
Array grouped_linear(const Array& x, const Array& weight, const Array& bias, int64_t groups);
/// The weight's gradient from dy (..., O): into += it, the chain over all rows going on from `into`, or
/// beginning where that is `fresh` and holds nothing.
void accumulate_grouped_outer(Array& into, const Array& dy, const Array& x, int64_t groups, bool fresh);

}  // namespace weft::kernels
