// RMS norm over the last axis.
#pragma once

#include <weft/autograd/ops.h>
#include <weft/layers/module.h>

namespace weft {

struct RMSNormOptions {
  double eps = 1e-6;
  bool affine = true;  ///< scale by weight
};

/// Parameter: weight (width) of ones.
class RMSNorm : public Module {
 public:
  explicit RMSNorm(int64_t width, const RMSNormOptions& options = {}) : eps(options.eps) {
    if (options.affine) weight = parameter("weight", {width}, init::ones());
  }
  Tensor forward(const Tensor& x) const {
    const LayerScope layer = profile_scope();
    return rms_norm(x, weight, eps);
  }
  Tensor operator()(const Tensor& x) const { return forward(x); }

  Tensor weight;
  double eps;
};

}  // namespace weft
