#include <weft/layers/transformer.h>

namespace weft {

namespace detail {

NormOptions norm_options(const BlockOptions& options) { return {options.layer_norm, options.rms_norm}; }

MultiHeadAttentionOptions cross_options(const BlockOptions& options) {
  if (options.cross_attention) return *options.cross_attention;
  MultiHeadAttentionOptions result = options.attention;
  result.rotary = {};
  result.alibi = false;
  result.window = 0;
  result.value_gate = 0;
  return result;
}

}  // namespace detail

template class EncoderBlockOf<>;
template class DecoderBlockOf<>;

}  // namespace weft
