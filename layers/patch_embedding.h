// Patch embedding (Dosovitskiy et al. 2021, equation 1): a picture as a sequence of its patches.
#pragma once

#include <weft/autograd/ops.h>
#include <weft/layers/layer.h>

#include <cstdint>
#include <optional>

namespace weft {

struct PatchEmbeddingOptions {
  bool bias = true;
  std::optional<Init> weight_init{};  ///< default: uniform within 1 / sqrt(channels patch patch), as Conv2d's
  std::optional<Init> bias_init{};    ///< default: the same
};

/// A convolution whose kernel is as large as its stride, without moving its result: parameters weight (width,
/// channels, patch, patch), as Conv2d's, and bias (width).
class PatchEmbedding : public Layer<PatchEmbedding> {
 public:
  /// ValueError unless all three are at least 1.
  PatchEmbedding(int64_t channels, int64_t patch, int64_t width, const PatchEmbeddingOptions& options = {});
  /// x (B, channels, H, W) -> (B, P, width), the P = (H / patch) (W / patch) patches row by row. ShapeError
  /// unless patch divides H and W, and x has the channels.
  Tensor forward(const Tensor& x) const;

  const int64_t patch;
  Parameter weight, bias;
};

}  // namespace weft
