// Stochastic depth: residual branches that are left out at random (Huang et al. 2016).
#pragma once

#include <weft/autograd/ops.h>
#include <weft/layers/layer.h>

namespace weft {

class DropPath : public Layer<DropPath> {
 public:
  /// ValueError unless 0 <= p < 1.
  explicit DropPath(double probability) : p(probability) {
    if (!(p >= 0 && p < 1)) fail<ValueError>("DropPath: the probability ", p, " is not in [0, 1)");
  }
  /// x (B, ...), a branch's result: in training, each sample is 0 with probability p, else divided by 1 - p.
  /// Needs a RandomScope then; the stream is the module's path.
  Tensor forward(const Tensor& x) const {
    if (idle()) return x;
    if (x.rank() < 1) fail<ShapeError>("DropPath: x is ", x.shape(), ": needs (B, ...)");
    Shape samples = x.shape();
    for (int axis = 1; axis < x.rank(); ++axis) samples = samples.with(axis, 1);
    return x * dropout(ones(samples, x.dtype()), p, path());
  }

  bool idle() const { return !training() || p == 0; }

  const double p;
};

}  // namespace weft
