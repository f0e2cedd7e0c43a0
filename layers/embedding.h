// Embedding: a table of rows, one for each id.
#pragma once

#include <weft/autograd/ops.h>
#include <weft/layers/layer.h>

namespace weft {

/// Parameter: weight (count, width); first values normal(0, 1) as in PyTorch unless said otherwise.
class Embedding : public Layer<Embedding> {
 public:
  Embedding(int64_t count, int64_t width, const Init& weight_init = init::normal(0.0, 1.0))
      : weight(parameter("weight", {count, width}, weight_init)) {}
  /// ids (...) -> (..., width).
  Tensor forward(const Array& ids) const { return embedding(ids, weight); }

  Parameter weight;
};

}  // namespace weft
