#include <weft/layers/additive_attention.h>
#include <weft/layers/attention_recorder.h>
#include <weft/lib/array/mask.h>
#include <weft/lib/kernels/elementwise/elementwise.h>

#include <cmath>

namespace weft {

AdditiveAttention::AdditiveAttention(int64_t query_width, int64_t memory_width, int64_t width)
    : query(child<Linear>("query", query_width, width, LinearOptions{.bias = false})),
      key(child<Linear>("key", memory_width, width)),
      score(parameter("score", {width}, init::fan_in_uniform(width))) {}

AdditiveAttention::Memory AdditiveAttention::read(const Tensor& states,
                                                  const std::vector<int64_t>& lengths) const {
  const LayerScope layer = profile_scope();
  return {states, key(states), lengths};
}

Tensor AdditiveAttention::weigh(const Tensor& x, const Memory& memory) const {
  Tensor scores = additive_scores(query(x), memory.keys, score);
  if (!memory.lengths.empty()) {
    const int64_t B = scores.dim(0), T = scores.dim(1), S = scores.dim(2);
    const Array seen = Mask::lengths(memory.lengths).dense(B, 1, T, S).reshape({B, T, S});
    scores = masked_fill(scores, kernels::logical_not(seen), -INFINITY);
  }
  return softmax(scores, -1);
}

Tensor AdditiveAttention::forward(const Tensor& x, const Memory& memory) const {
  const Tensor weights = weigh(x, memory);  // (B, T, S)
  if (AttentionRecorder* const recorder = AttentionRecorder::current())
    recorder->add({path(), true, weights.value().reshape(weights.shape().inserted(1, 1))});
  return matmul(weights, memory.states);
}

Array AdditiveAttention::weights(const Tensor& x, const Memory& memory) const {
  const NoGrad no_grad;
  return weigh(x, memory).value();
}

}  // namespace weft
