// Dropout, whose random stream is the module's path.
#pragma once

#include <weft/autograd/ops.h>
#include <weft/layers/layer.h>

namespace weft {

class Dropout : public Layer<Dropout> {
 public:
  /// ValueError unless 0 <= p < 1.
  explicit Dropout(double probability) : p(probability) {
    if (!(p >= 0 && p < 1)) fail<ValueError>("Dropout: the probability ", p, " is not in [0, 1)");
  }
  /// Acts in training only; needs a RandomScope then.
  Tensor forward(const Tensor& x) const {
    if (idle()) return x;
    return dropout(x, p, path());
  }

  bool idle() const { return !training() || p == 0; }

  const double p;
};

}  // namespace weft
