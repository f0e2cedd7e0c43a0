#include <weft/layers/models/decoding/sampling.h>
#include <weft/lib/base/math.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace weft {
namespace {

/// Logits with the penalty, each token's once however often it was read.
std::vector<float> penalized(std::span<const float> logits, double penalty, std::span<const int64_t> read) {
  std::vector<float> result(logits.begin(), logits.end());
  const auto factor = static_cast<float>(penalty);
  for (const int64_t id : read) {
    if (id < 0 || static_cast<size_t>(id) >= logits.size())
      fail<ValueError>("sampling: token ", id, " was read, but there are ", logits.size(), " logits");
    const float logit = logits[static_cast<size_t>(id)];
    result[static_cast<size_t>(id)] = logit < 0 ? logit * factor : logit / factor;
  }
  return result;
}

int64_t likeliest(std::span<const float> logits, const char* what = "sampling") {
  for (size_t i = 0; i < logits.size(); ++i) {
    if (std::isnan(logits[i]) || logits[i] == INFINITY)
      fail<NumericError>(what, ": the logit of token ", i, " is ", logits[i]);
  }
  const auto largest = std::max_element(logits.begin(), logits.end());
  if (largest == logits.end() || *largest == -INFINITY)
    fail<NumericError>(what, ": no token has a finite logit");
  return largest - logits.begin();
}

/// Tokens that are left, and how likely each is in units of the likeliest.
struct Choices {
  std::vector<int64_t> tokens;
  std::vector<double> weights;
  double total = 0;
};

Choices choices_of(std::span<const float> logits, const SamplingOptions& options) {
  const auto best = static_cast<size_t>(likeliest(logits));
  if (options.temperature == 0) return {{static_cast<int64_t>(best)}, {1.0}, 1.0};
  Choices c;
  c.tokens.resize(logits.size());
  std::iota(c.tokens.begin(), c.tokens.end(), 0);
  if (options.top_k > 0 || options.top_p < 1) {
    const auto likelier = [&](int64_t a, int64_t b) {
      const float x = logits[static_cast<size_t>(a)], y = logits[static_cast<size_t>(b)];
      return x != y ? x > y : a < b;
    };
    std::sort(c.tokens.begin(), c.tokens.end(), likelier);
    if (options.top_k > 0 && static_cast<size_t>(options.top_k) < c.tokens.size())
      c.tokens.resize(static_cast<size_t>(options.top_k));
  }
  for (const int64_t token : c.tokens) {
    const double below = static_cast<double>(logits[static_cast<size_t>(token)]) - logits[best];
    c.weights.push_back(math::exp(below / options.temperature));
    c.total += c.weights.back();
  }
  if (options.top_p < 1) {
    double kept = 0;
    size_t count = 0;
    while (count < c.weights.size() && kept < options.top_p * c.total) kept += c.weights[count++];
    c.weights.resize(count);
    c.total = kept;
  }
  if (options.min_p > 0) {
    c.total = 0;
    for (double& weight : c.weights) {
      if (weight < options.min_p) weight = 0;  // the likeliest has weight 1
      c.total += weight;
    }
  }
  return c;
}

Choices choices_of(std::span<const float> logits, const SamplingOptions& options,
                   std::span<const int64_t> read) {
  options.check();
  if (options.repetition_penalty == 1) return choices_of(logits, options);
  return choices_of(penalized(logits, options.repetition_penalty, read), options);
}

}  // namespace

void SamplingOptions::check() const {
  if (!(temperature >= 0) || !std::isfinite(temperature))
    fail<ValueError>("temperature ", temperature, " is not a number of at least 0");
  if (top_k < 0) fail<ValueError>("top_k ", top_k, " is negative; 0 means all tokens");
  if (!(top_p > 0 && top_p <= 1)) fail<ValueError>("top_p ", top_p, " is not above 0 and at most 1");
  if (!(min_p >= 0 && min_p <= 1)) fail<ValueError>("min_p ", min_p, " is not between 0 and 1");
  // In float: a smaller or larger one would make 0 or infinity of it.
  if (!(repetition_penalty >= 1e-6 && repetition_penalty <= 1e6))
    fail<ValueError>("repetition_penalty ", repetition_penalty, " is not between 1e-6 and 1e6");
}

int64_t sample_token(std::span<const float> logits, const SamplingOptions& options, RandomKey key,
                     uint64_t sample, uint64_t draw, std::span<const int64_t> read) {
  const Choices c = choices_of(logits, options, read);
  double left = uniform_at(key, sample, draw) * c.total;
  size_t chosen = 0;
  for (size_t i = 0; i < c.weights.size(); ++i) {
    if (c.weights[i] > 0) chosen = i;
    left -= c.weights[i];
    if (left < 0) break;
  }
  return c.tokens[chosen];
}

std::vector<double> sampling_probabilities(std::span<const float> logits, const SamplingOptions& options,
                                           std::span<const int64_t> read) {
  const Choices c = choices_of(logits, options, read);
  std::vector<double> probabilities(logits.size());
  for (size_t i = 0; i < c.weights.size(); ++i)
    probabilities[static_cast<size_t>(c.tokens[i])] = c.weights[i] / c.total;
  return probabilities;
}

double log_total(std::span<const float> logits, const char* what) {
  const double largest = logits[static_cast<size_t>(likeliest(logits, what))];
  double total = 0;
  for (const float logit : logits) total += math::exp(static_cast<double>(logit) - largest);
  return largest + math::log(total);
}

}  // namespace weft
