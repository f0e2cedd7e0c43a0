// Additive attention (Bahdanau et al. 2015, section 3.1): weights softmax_s(v^T tanh(W q_t + U k_s + b)) over
// the tokens of a sequence that was read, and the sum of its states by these weights.
#pragma once

#include <weft/layers/linear.h>

#include <cstdint>
#include <vector>

namespace weft {

/// Children: query, Linear without bias (query_width -> width); key, Linear (memory_width -> width).
/// Parameter: score (width), v of the formula; first values uniform within 1 / sqrt(width).
class AdditiveAttention : public Layer<AdditiveAttention> {
 public:
  AdditiveAttention(int64_t query_width, int64_t memory_width, int64_t width);

  /// What was read, and what attention needs of it whatever is asked, computed once.
  struct Memory {
    Tensor states;                 ///< (B, S, memory_width)
    Tensor keys;                   ///< U k + b, (B, S, width)
    std::vector<int64_t> lengths;  ///< tokens of each sample, those after being padding; empty: all
  };
  Memory read(const Tensor& states, const std::vector<int64_t>& lengths = {}) const;
  /// x (B, T, query_width) -> (B, T, memory_width). A sample without tokens gives zeros. An
  /// AttentionRecorder sees the weights as those of one head.
  Tensor forward(const Tensor& x, const Memory& memory) const;
  /// The weights (B, T, S), for looking at.
  Array weights(const Tensor& x, const Memory& memory) const;

  Linear &query, &key;
  Parameter score;

 private:
  Tensor weigh(const Tensor& x, const Memory& memory) const;
};

}  // namespace weft
