// One vector for each row of hidden states.
#pragma once

#include <weft/layers/models/model.h>

namespace weft {

enum class Pooling {
  mean,   ///< over the places that count, summed in double in their order
  last,   ///< of the last that counts, as decoders know all that came before it
  first,  ///< of the first: [CLS] of BERT, the class token of ViT
};

/// (B, T, C) -> (B, C), float32. ShapeError for lengths that are not B numbers from 1 to T.
Array pooled(const HiddenStates& hidden, Pooling pooling);

}  // namespace weft
