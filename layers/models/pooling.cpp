#include <weft/layers/models/pooling.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>

namespace weft {

Array pooled(const HiddenStates& hidden, Pooling pooling) {
  const Array x = hidden.states.value().to(float32);
  const std::vector<int64_t>& lengths = hidden.lengths;
  const bool fit =
      x.rank() == 3 && x.dim(1) > 0 &&
      (lengths.empty() || (std::ssize(lengths) == x.dim(0) &&
                           std::ranges::all_of(lengths, [&](int64_t n) { return n >= 1 && n <= x.dim(1); })));
  if (!fit) fail<ShapeError>("pooled: ", lengths.size(), " lengths for hidden states ", x.shape());
  const int64_t B = x.dim(0), T = x.dim(1), C = x.dim(2);
  Array y({B, C}, float32);
  const float* const from = x.data<float>();
  float* const to = y.mutable_data<float>();
  parallel_for(B, 1, [&](int64_t b, int64_t) {
    const int64_t count = lengths.empty() ? T : lengths[static_cast<size_t>(b)];
    const float* const row = from + b * T * C;
    if (pooling != Pooling::mean) {
      std::copy_n(row + (pooling == Pooling::last ? (count - 1) * C : 0), C, to + b * C);
      return;
    }
    std::vector<double> sum(static_cast<size_t>(C));
    for (int64_t t = 0; t < count; ++t)
      for (int64_t c = 0; c < C; ++c) sum[static_cast<size_t>(c)] += static_cast<double>(row[t * C + c]);
    for (int64_t c = 0; c < C; ++c)
      to[b * C + c] = static_cast<float>(sum[static_cast<size_t>(c)] / static_cast<double>(count));
  });
  return y;
}

}  // namespace weft
