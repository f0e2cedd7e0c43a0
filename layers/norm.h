// Norms over the last axis: layer norm (Ba et al. 2016), RMS norm (Zhang and Sennrich 2019), and the norm of
// a transformer's block, which is one or the other as its options say.
#pragma once

#include <weft/autograd/ops.h>
#include <weft/layers/layer.h>

#include <optional>

namespace weft {

struct LayerNormOptions {
  double eps = 1e-5;
  bool affine = true;  ///< scale by weight, and
  bool bias = true;    ///< shift by bias
};

struct RMSNormOptions {
  double eps = 1e-6;
  bool affine = true;  ///< scale by weight
};

struct NormOptions {
  LayerNormOptions layer_norm{};
  std::optional<RMSNormOptions> rms_norm{};  ///< instead of layer norm
};

/// Parameters: weight (width) of ones, and, of a layer norm, bias (width) of zeros.
class Norm : public Layer<Norm> {
 public:
  explicit Norm(int64_t width, const NormOptions& options = {})
      : rms(options.rms_norm), eps(rms ? options.rms_norm->eps : options.layer_norm.eps) {
    const bool affine = rms ? options.rms_norm->affine : options.layer_norm.affine;
    if (affine) weight = parameter("weight", {width}, init::ones());
    if (affine && !rms && options.layer_norm.bias) bias = parameter("bias", {width}, init::zeros());
  }
  /// (..., width) -> (..., width).
  Tensor forward(const Tensor& x) const {
    return rms ? rms_norm(x, weight, eps) : layer_norm(x, weight, bias, eps);
  }

  Parameter weight, bias;
  const bool rms;
  const double eps;
};

/// (x - mean) / sqrt(var + eps) weight + bias.
struct LayerNorm : Norm {
  explicit LayerNorm(int64_t width, const LayerNormOptions& options = {})
      : Norm(width, {.layer_norm = options}) {}
};

/// x / sqrt(mean(x^2) + eps) weight.
struct RMSNorm : Norm {
  explicit RMSNorm(int64_t width, const RMSNormOptions& options = {}) : Norm(width, {.rms_norm = options}) {}
};

}  // namespace weft
