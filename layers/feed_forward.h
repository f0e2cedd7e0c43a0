// Position-wise feed-forward (Vaswani et al. 2017, section 3.3): down(activation(up(x))).
#pragma once

#include <weft/layers/dropout.h>
#include <weft/layers/linear.h>

namespace weft {

enum class Activation { relu, gelu, gelu_tanh, silu };
Tensor activate(Activation activation, const Tensor& x);

struct FeedForwardOptions {
  int64_t hidden = 0;  ///< F; 0 means 4 C
  Activation activation = Activation::gelu;
  bool bias = true;
  double dropout = 0.0;        ///< after the activation, as PyTorch's transformer layers do
  LinearOptions up{}, down{};  ///< initialisation; their `bias` is replaced by the one above
};

/// Children: up (C -> F), down (F -> C).
class FeedForward : public Module {
 public:
  explicit FeedForward(int64_t width, const FeedForwardOptions& options = {});
  /// (..., C) -> (..., C).
  Tensor forward(const Tensor& x) const;
  Tensor operator()(const Tensor& x) const { return forward(x); }

  Linear &up, &down;
  Dropout& dropout;
  const Activation activation;
};

}  // namespace weft
