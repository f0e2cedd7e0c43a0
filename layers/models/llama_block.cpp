#include <weft/layers/models/llama_block.h>

namespace weft {

LlamaBlock::LlamaBlock(int64_t width, int64_t heads, const LlamaBlockOptions& options)
    : Layer(width, heads, options.block),
      value_embedding(options.value_ids > 0 ? &child<Embedding>("value_embedding", options.value_ids,
                                                                attention.kv_heads * attention.head_width,
                                                                init::normal(0.0, 0.02))
                                            : nullptr) {
  if (!options.residual_mix) return;
  carry = parameter("carry", {width}, init::ones());
  recall = parameter("recall", {width}, init::constant(0.1));
}

Tensor LlamaBlock::mixed(const Tensor& x, const LlamaInputs& inputs) const {
  return carry.defined() ? x * carry + inputs.first * recall : x;
}

Tensor LlamaBlock::values(const LlamaInputs& inputs) const {
  return value_embedding ? (*value_embedding)(inputs.ids) : Tensor();
}

Tensor LlamaBlock::forward(const Tensor& x, const Mask& mask, const LlamaInputs& inputs) const {
  return EncoderBlock::forward(mixed(x, inputs), mask, {}, values(inputs));
}

Tensor LlamaBlock::forward(const Tensor& x, KeyValueCache& cache, std::span<const int64_t> lengths,
                           const LlamaInputs& inputs) const {
  const NoGrad no_grad;
  return EncoderBlock::forward(mixed(x, inputs), cache, lengths, {}, values(inputs));
}

}  // namespace weft
