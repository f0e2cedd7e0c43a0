#include <weft/lib/math.h>
#include <weft/lib/sampling.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace weft {

void SamplingOptions::check() const {
  if (!(temperature >= 0) || !std::isfinite(temperature))
    fail<ValueError>("temperature ", temperature, " is not a number of at least 0");
  if (top_k < 0) fail<ValueError>("top_k ", top_k, " is negative; 0 means all tokens");
  if (!(top_p > 0 && top_p <= 1)) fail<ValueError>("top_p ", top_p, " is not above 0 and at most 1");
}

int64_t sample_token(std::span<const float> logits, const SamplingOptions& options, RandomKey key,
                     uint64_t sample, uint64_t draw) {
  options.check();
  for (size_t i = 0; i < logits.size(); ++i) {
    if (std::isnan(logits[i]) || logits[i] == INFINITY)
      fail<NumericError>("sampling: the logit of token ", i, " is ", logits[i]);
  }
  const auto likeliest = std::max_element(logits.begin(), logits.end());
  if (likeliest == logits.end() || *likeliest == -INFINITY)
    fail<NumericError>("sampling: no token has a finite logit");
  if (options.temperature == 0) return likeliest - logits.begin();

  std::vector<int64_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const bool cut = options.top_k > 0 || options.top_p < 1;
  if (cut) {
    const auto likelier = [&](int64_t a, int64_t b) {
      const float x = logits[static_cast<size_t>(a)], y = logits[static_cast<size_t>(b)];
      return x != y ? x > y : a < b;
    };
    std::sort(order.begin(), order.end(), likelier);
    if (options.top_k > 0 && static_cast<size_t>(options.top_k) < order.size())
      order.resize(static_cast<size_t>(options.top_k));
  }

  std::vector<double> weights(order.size());
  double total = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    weights[i] = math::exp((static_cast<double>(logits[static_cast<size_t>(order[i])]) - *likeliest) /
                           options.temperature);
    total += weights[i];
  }
  if (options.top_p < 1) {
    double kept = 0;
    size_t count = 0;
    while (count < weights.size() && kept < options.top_p * total) kept += weights[count++];
    weights.resize(count);
    total = kept;
  }
  double left = uniform_at(key, sample, draw) * total;
  size_t chosen = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0) chosen = i;
    left -= weights[i];
    if (left < 0) break;
  }
  return order[chosen];
}

}  // namespace weft
