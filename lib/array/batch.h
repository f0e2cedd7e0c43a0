// A batch: what a model reads and what it should say to it.
#pragma once

#include <weft/lib/array/documents.h>

#include <cstdint>
#include <vector>

namespace weft {

/// B samples. What the arrays hold is the model's business:
///   language model     inputs (B, T) ids                targets (B, T) the ids that follow
///   masked model       inputs (B, T) ids with masks     targets (B, T) the ids that were masked
///   classification     inputs (B, T) ids                targets (B) classes
///   sequence pairs     inputs (B, S) ids to be read     targets (B, T) ids to be written, the last one the
///                                                       end of text
///   pictures           inputs (B, channels, H, W)       targets (B) classes, or (B, P) a class a patch, or, where
///                                                       pictures are laid over others, (B, n_class) float32 shares
///   sounds             inputs (B, T, M) frames            targets (B) classes, or (B, U) ids of what is said, the last one
///                                                       the end of text
/// Ids and classes are int64. A target of `ignored` takes no part in the loss: padding, places not masked.
struct Batch {
  static constexpr int64_t ignored = -100;

  Array inputs;
  Array targets;
  /// How many tokens, or frames, of each row of `inputs` count, those after being padding; empty: all.
  std::vector<int64_t> lengths = {};
  /// Of a language model: where in each row its documents begin, ascending from 0. Attention and positions stay inside
  /// each, so that a document has the bits it has alone. Empty: each row is one.
  DocumentBegins documents = {};
};

/// Rows of ids as one array (rows, longest), filled on the right with `with`.
Array padded_rows(const std::vector<std::vector<int64_t>>& rows, int64_t with);

}  // namespace weft
