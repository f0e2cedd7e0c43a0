// The norm of a transformer's block: layer norm or RMS norm, as its options say.
#pragma once

#include <weft/layers/layer_norm.h>
#include <weft/layers/rms_norm.h>

#include <optional>

namespace weft {

struct NormOptions {
  LayerNormOptions layer_norm{};
  std::optional<RMSNormOptions> rms_norm{};  ///< instead of layer norm
};

/// Parameters: weight (width) of ones, and, of a layer norm, bias (width) of zeros.
class Norm : public Module {
 public:
  explicit Norm(int64_t width, const NormOptions& options = {})
      : rms(options.rms_norm), eps(rms ? options.rms_norm->eps : options.layer_norm.eps) {
    const bool affine = rms ? options.rms_norm->affine : options.layer_norm.affine;
    if (affine) weight = parameter("weight", {width}, init::ones());
    if (affine && !rms && options.layer_norm.bias) bias = parameter("bias", {width}, init::zeros());
  }
  Tensor forward(const Tensor& x) const {
    const LayerScope layer = profile_scope();
    return rms ? rms_norm(x, weight, eps) : layer_norm(x, weight, bias, eps);
  }
  Tensor operator()(const Tensor& x) const { return forward(x); }

  Tensor weight, bias;
  const bool rms;
  const double eps;
};

}  // namespace weft
