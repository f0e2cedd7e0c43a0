// Position-wise feed-forward: down(activation(up(x))) (Vaswani et al. 2017, section 3.3), or gated,
// down(activation(gate(x)) * up(x)) (Shazeer 2020): SwiGLU with silu, GEGLU with gelu, ReGLU with relu.
#pragma once

#include <weft/layers/dropout.h>
#include <weft/layers/linear.h>

namespace weft {

/// relu2 is max(x, 0)^2 (So et al. 2021, Primer).
enum class Activation { relu, gelu, gelu_tanh, silu, relu2 };
Tensor activate(Activation activation, const Tensor& x);

struct FeedForwardOptions {
  int64_t hidden = 0;  ///< F; 0 means 4 C. Gated, 8 C / 3 has the parameters of 4 C without the gate.
  Activation activation = Activation::gelu;
  bool gated = false;
  bool bias = true;
  double dropout = 0.0;        ///< before `down`, as PyTorch's transformer layers do
  LinearOptions up{}, down{};  ///< initialisation, `up` of the gate too; `bias` comes from the one above
};

/// Children: gate (C -> F) where there is one, up (C -> F), down (F -> C).
class FeedForward : public Layer<FeedForward> {
 public:
  explicit FeedForward(int64_t width, const FeedForwardOptions& options = {});
  /// (..., C) -> (..., C).
  Tensor forward(const Tensor& x) const;

  Linear* const gate;  ///< null unless gated
  Linear &up, &down;
  Dropout& dropout;
  const Activation activation;
};

}  // namespace weft
