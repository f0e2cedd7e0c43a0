// The decoder of the Transformer (Vaswani et al. 2017): what writes, behind any encoder.
#pragma once

#include <weft/layers/containers.h>
#include <weft/layers/embedding.h>
#include <weft/layers/models/decoding/key_value_state.h>
#include <weft/layers/positional_encoding.h>
#include <weft/layers/transformer.h>

#include <memory>
#include <span>
#include <vector>

namespace weft {

/// Parts of a model, which has them as children under names of its own: sqrt(C) token_embedding + sinusoidal positions
/// (sections 3.4 and 3.5) through the blocks and the norm, if any; the output layer is the embedding's weight.
struct TextDecoder {
  const Module& model;  ///< whose parts they are
  const char* name;     ///< of it, in errors
  int64_t block_size;   ///< most tokens
  const Embedding& token_embedding;
  const SinusoidalPositionalEncoding& position_encoding;
  const Dropout& dropout;
  const ModuleList<DecoderBlock>& blocks;
  const LayerNorm* norm;  ///< null with post-norm

  /// sqrt(C) times the embeddings of ids (B, T) -> (B, T, C).
  Tensor scaled(const Array& ids) const;
  /// ids (B, T), a start token among them, and the memory (B, S, C) of what they answer, of which lengths[b] tokens count ->
  /// (B, T, V).
  Tensor decode(const Array& ids, const Tensor& memory, const std::vector<int64_t>& lengths,
                bool recomputed) const;
  /// GenerativeModel::next, on a state of KeyValueState::answering.
  Tensor next(const Array& ids, std::span<const int64_t> lengths, DecoderState& state) const;

 private:
  Tensor head(const Tensor& x) const;
};

/// Mask::lengths, or none for none.
Mask counted(const std::vector<int64_t>& lengths);

}  // namespace weft
