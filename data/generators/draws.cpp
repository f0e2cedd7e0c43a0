#include <weft/data/generators/draws.h>

#include <numeric>

namespace weft {

size_t Draws::weighted(const std::vector<double>& weights) {
  double left = uniform() * std::accumulate(weights.begin(), weights.end(), 0.0);
  for (size_t i = 0; i + 1 < weights.size(); ++i) {
    left -= weights[i];
    if (left < 0) return i;
  }
  return weights.size() - 1;
}

std::vector<int64_t> Draws::subset(int64_t size, int64_t count) {
  if (count < 0 || count > size) fail<ValueError>("Draws: ", count, " of ", size, " cannot be chosen");
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < size && count > 0; ++i)
    if (below(static_cast<uint64_t>(size - i)) < static_cast<uint64_t>(count)) {
      chosen.push_back(i);
      --count;
    }
  return chosen;
}

Split split_of(std::string_view content) {
  return stream_id(content) % 10 == 0 ? Split::validation : Split::train;
}

}  // namespace weft
