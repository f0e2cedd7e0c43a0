// Convolutional layers: torch.nn.Conv1d and Conv2d. First values as PyTorch's: uniform within 1 / sqrt(inputs
// of one output), that is channels / groups times the size of the kernel.
#pragma once

#include <weft/autograd/ops.h>
#include <weft/layers/layer.h>

#include <array>
#include <cstdint>

namespace weft {

/// Parameters: weight (outputs, channels / groups, kernel), bias (outputs), unless `with_bias` is false.
class Conv1d : public Layer<Conv1d> {
 public:
  /// ValueError unless channels, outputs and kernel are at least 1 and groups divide the first two.
  Conv1d(int64_t channels, int64_t outputs, int64_t kernel, const Conv1dOptions& options = {},
         bool with_bias = true);
  /// (B, channels, T) -> (B, outputs, T').
  Tensor forward(const Tensor& x) const { return conv1d(x, weight, bias, options); }

  const Conv1dOptions options;
  Parameter weight, bias;
};

/// Parameters: weight (outputs, channels / groups, kernel height, kernel width), bias (outputs).
class Conv2d : public Layer<Conv2d> {
 public:
  Conv2d(int64_t channels, int64_t outputs, const std::array<int64_t, 2>& kernel,
         const Conv2dOptions& options = {}, bool with_bias = true);
  /// (B, channels, H, W) -> (B, outputs, H', W').
  Tensor forward(const Tensor& x) const { return conv2d(x, weight, bias, options); }

  const Conv2dOptions options;
  Parameter weight, bias;
};

}  // namespace weft
