// Linear: y = x weight^T + bias.
#pragma once

#include <weft/autograd/ops.h>
#include <weft/layers/layer.h>

#include <optional>

namespace weft {

struct LinearOptions {
  bool bias = true;
  std::optional<Init> weight_init{};  ///< default: uniform within 1 / sqrt(inputs), as PyTorch
  std::optional<Init> bias_init{};    ///< default: the same

  /// These options, with or without a bias.
  LinearOptions with_bias(bool wanted) const { return {wanted, weight_init, bias_init}; }
};

/// Parameters: weight (outputs, inputs), bias (outputs).
class Linear : public Layer<Linear> {
 public:
  Linear(int64_t inputs, int64_t outputs, const LinearOptions& options = {});
  /// (..., inputs) -> (..., outputs).
  Tensor forward(const Tensor& x) const { return linear(x, weight, bias); }

  Parameter weight, bias;
};

}  // namespace weft
