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
    case Activation::relu2:
      return square(relu(x));
    default:
      return silu(x);
  }
}

namespace {

int64_t hidden_width(int64_t width, const FeedForwardOptions& options) {
  return options.hidden ? options.hidden : 4 * width;
}

}  // namespace

FeedForward::FeedForward(int64_t width, const FeedForwardOptions& options)
    : gate(options.gated ? &child<Linear>("gate", width, hidden_width(width, options),
                                          options.up.with_bias(options.bias))
                         : nullptr),
      up(child<Linear>("up", width, hidden_width(width, options), options.up.with_bias(options.bias))),
      down(child<Linear>("down", hidden_width(width, options), width, options.down.with_bias(options.bias))),
      dropout(child<Dropout>("dropout", options.dropout)),
      activation(options.activation) {}

Tensor FeedForward::forward(const Tensor& x) const {
  const Tensor hidden = gate ? activate(activation, (*gate)(x)) * up(x) : activate(activation, up(x));
  return down(dropout(hidden));
}

}  // namespace weft
