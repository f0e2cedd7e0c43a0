// Convolutions (cross-correlations, as everywhere in deep learning): PyTorch's conv1d and conv2d, weight
// layouts included. Each is the product of the unfolded input with the kernels.
#pragma once

#include <weft/autograd/tensor.h>

#include <array>
#include <cstdint>

namespace weft {

struct Conv2dOptions {
  std::array<int64_t, 2> stride{1, 1}, padding{0, 0}, dilation{1, 1};  ///< down, across
  int64_t groups = 1;  ///< channels in as many blocks, each convolved into its own block of outputs
};
struct Conv1dOptions {
  int64_t stride = 1, padding = 0, dilation = 1, groups = 1;
};

/// x (B, C, H, W), weight (O, C / groups, kernel height, kernel width), bias (O) or undefined ->
/// (B, O, H', W') with H' = floor((H + 2 padding - dilation (kernel - 1) - 1) / stride) + 1. ShapeError when
/// the kernel does not fit.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              const Conv2dOptions& options = {});
/// x (B, C, T), weight (O, C / groups, kernel) -> (B, O, T').
Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              const Conv1dOptions& options = {});

/// What a window of `size` sees at each of its L = H' W' places: x (B, C, H, W) -> (B, L, C size[0] size[1])
/// (PyTorch's unfold with its last two axes exchanged). Groups have no meaning here.
Tensor unfold(const Tensor& x, const std::array<int64_t, 2>& size, const Conv2dOptions& options = {});
/// Zeros of `shape` (B, C, H, W) to which patches (B, L, ...) are added where they were read: the gradient of
/// unfold.
Tensor fold(const Tensor& patches, const Shape& shape, const std::array<int64_t, 2>& size,
            const Conv2dOptions& options = {});
/// Block g of the columns is a linear layer of its own: x (..., groups K), weight (O, ...) of O K values,
/// bias (O) or undefined -> (..., O). With one group it is linear() for a weight of any number of axes. In
/// float32 the gradients of weight and bias are running sums over the rows in order.
Tensor grouped_linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, int64_t groups = 1);

}  // namespace weft
