#include <weft/layers/feed_forward.h>

namespace weft {

Tensor activate(Activation activation, const Tensor& x) {
  switch (activation) {
    case Activation::relu:
      return relu(x);
    case Activation::gelu:
      return gelu(x);
    case Activation::gelu_tanh:
      return gelu(x, Gelu::tanh);
    default:
      return silu(x);
  }
}

FeedForward::FeedForward(int64_t width, const FeedForwardOptions& options)
    : up(child<Linear>("up", width, options.hidden ? options.hidden : 4 * width,
                       options.up.with_bias(options.bias))),
      down(child<Linear>("down", options.hidden ? options.hidden : 4 * width, width,
                         options.down.with_bias(options.bias))),
      dropout(child<Dropout>("dropout", options.dropout)),
      activation(options.activation) {}

Tensor FeedForward::forward(const Tensor& x) const {
  const LayerScope layer = profile_scope();
  return down(dropout(activate(activation, up(x))));
}

}  // namespace weft
