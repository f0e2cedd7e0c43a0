#include <weft/layers/models/block_stack.h>
#include <weft/layers/models/check_ids_internal.h>
#include <weft/layers/models/text_decoder.h>

#include <cmath>

namespace weft {

Mask counted(const std::vector<int64_t>& lengths) {
  return lengths.empty() ? Mask{} : Mask::lengths(lengths);
}

Tensor TextDecoder::scaled(const Array& ids) const {
  return token_embedding(ids) * std::sqrt(static_cast<double>(token_embedding.weight.dim(1)));  // (B, T, C)
}

Tensor TextDecoder::head(const Tensor& x) const {
  const Tensor y = norm ? (*norm)(x) : x;
  const LayerScope layer([&] { return str(model.path(), model.path().empty() ? "" : ".", "head"); });
  return linear(y, token_embedding.weight);
}

Tensor TextDecoder::decode(const Array& ids, const Tensor& memory, const std::vector<int64_t>& lengths,
                           bool recomputed) const {
  check_ids(name, ids, block_size);
  return head(through(blocks, dropout(position_encoding(scaled(ids))), recomputed, memory, Mask::causal(),
                      counted(lengths)));
}

Tensor TextDecoder::next(const Array& ids, std::span<const int64_t> lengths, DecoderState& of) const {
  const NoGrad no_grad;
  const DecodingStep step(name, ids, lengths, of, blocks.size(), block_size);
  KeyValueState& state = step.state;
  step.needs_memory(name);
  Tensor x = dropout(position_encoding(scaled(ids), state.lengths()));
  for (size_t i = 0; i < blocks.size(); ++i) x = blocks[i](x, state.caches[i], state.memory[i], lengths);
  const Tensor y = head(step.last_tokens(x));
  step.finish();
  return y;
}

}  // namespace weft
