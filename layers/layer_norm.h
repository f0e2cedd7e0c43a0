// Layer norm over the last axis.
#pragma once

#include <weft/autograd/ops.h>
#include <weft/layers/module.h>

namespace weft {

struct LayerNormOptions {
  double eps = 1e-5;
  bool affine = true;  ///< scale by weight, and
  bool bias = true;    ///< shift by bias
};

/// Parameters: weight (width) of ones, bias (width) of zeros.
class LayerNorm : public Module {
 public:
  explicit LayerNorm(int64_t width, const LayerNormOptions& options = {}) : eps(options.eps) {
    if (options.affine) weight = parameter("weight", {width}, init::ones());
    if (options.affine && options.bias) bias = parameter("bias", {width}, init::zeros());
  }
  Tensor forward(const Tensor& x) const {
    const LayerScope layer = profile_scope();
    return layer_norm(x, weight, bias, eps);
  }
  Tensor operator()(const Tensor& x) const { return forward(x); }

  Tensor weight, bias;
  double eps;
};

}  // namespace weft
