// A block of Llama: that of transformer.h, with what later small models put beside it.
#pragma once

#include <weft/layers/embedding.h>
#include <weft/layers/transformer.h>

#include <span>

namespace weft {

/// What a block of Llama may read beside its input.
struct LlamaInputs {
  Tensor first{};  ///< (B, T, C): the input of block 0
  Array ids{};     ///< (B, T)
};

struct LlamaBlockOptions {
  BlockOptions block{};
  /// x becomes carry * x + recall * first before anything else, two vectors (C) that begin as 1 and 0.1: the residual
  /// and first-input scalars of modded-nanoGPT and nanochat (lambdas), here one a channel.
  bool residual_mix = false;
  /// > 0: a table of `value_ids` rows whose row of each token is added to its attention's values through a learned
  /// gate a head (MultiHeadAttentionOptions::value_gate).
  int64_t value_ids = 0;
};

/// The children of EncoderBlock, then value_embedding (Embedding, value_ids rows of G D); parameters carry and recall
/// (C). Each only where its option says so.
class LlamaBlock : public Layer<LlamaBlock, EncoderBlock> {
 public:
  LlamaBlock(int64_t width, int64_t heads, const LlamaBlockOptions& options);
  /// x (B, T, C) -> (B, T, C).
  Tensor forward(const Tensor& x, const Mask& mask, const LlamaInputs& inputs) const;
  /// Decoding with a cache, as EncoderBlock.
  Tensor forward(const Tensor& x, KeyValueCache& cache, std::span<const int64_t> lengths,
                 const LlamaInputs& inputs) const;

  Embedding* const value_embedding;  ///< null unless there is one
  Parameter carry, recall;

 private:
  Tensor mixed(const Tensor& x, const LlamaInputs& inputs) const;
  Tensor values(const LlamaInputs& inputs) const;
};

}  // namespace weft
