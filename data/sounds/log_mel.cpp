#include <weft/data/sounds/log_mel.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/math.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace weft {
namespace {

// Slaney's scale: linear below 1000 Hz, then logarithmic (Auditory Toolbox, 1998).
constexpr double linear_step = 200.0 / 3, corner = 1000, corner_mel = corner / linear_step;
const double log_step = math::log(6.4) / 27;

double mel_of(double hertz) {
  return hertz < corner ? hertz / linear_step : corner_mel + math::log(hertz / corner) / log_step;
}

double hertz_of(double mel) {
  return mel < corner_mel ? mel * linear_step : corner * math::exp(log_step * (mel - corner_mel));
}

/// Mirrored at both ends, which are not repeated, as often as it takes.
int64_t mirrored(int64_t at, int64_t size) {
  if (size == 1) return 0;
  const int64_t period = 2 * (size - 1);
  const int64_t inside = ((at % period) + period) % period;
  return inside < size ? inside : period - inside;
}

}  // namespace

LogMel::Options LogMel::options_for(int64_t rate, int64_t n_mels, double window, double hop, bool centred) {
  const auto samples = [rate](double milliseconds) {
    return std::llround(static_cast<double>(rate) * milliseconds / 1000);
  };
  return {.rate = rate,
          .n_fft = samples(window),
          .hop_length = samples(hop),
          .n_mels = n_mels,
          .centred = centred};
}

LogMel::LogMel(const Options& options) : options_(options) {
  const auto [rate, n_fft, hop_length, n_mels, centred] = options;
  if (rate < 1 || n_fft < 2 || hop_length < 1 || n_mels < 1)
    fail<ValueError>("LogMel: a rate of ", rate, ", n_fft = ", n_fft, ", hop_length = ", hop_length,
                     ", n_mels = ", n_mels, ": needs at least 1, 2, 1 and 1");
  bins_ = n_fft / 2 + 1;
  half_ = bins_;
  for (int64_t n = 0; n < n_fft; ++n)
    window_.push_back(
        0.5 - 0.5 * math::cos(2 * std::numbers::pi * static_cast<double>(n) / static_cast<double>(n_fft)));
  for (int64_t n = 0; n < half_; ++n)
    for (int64_t k = 0; k < bins_; ++k) {
      const double angle =
          2 * std::numbers::pi * static_cast<double>(n * k % n_fft) / static_cast<double>(n_fft);
      cosines_.push_back(math::cos(angle));
      sines_.push_back(math::sin(angle));
    }
  const double most = mel_of(static_cast<double>(rate) / 2);
  std::vector<double> points;
  for (int64_t i = 0; i < n_mels + 2; ++i)
    points.push_back(hertz_of(most * static_cast<double>(i) / static_cast<double>(n_mels + 1)));
  for (size_t m = 0; m < static_cast<size_t>(n_mels); ++m) {
    const double low = points[m], middle = points[m + 1], high = points[m + 2];
    Filter filter{.first = bins_};
    for (int64_t k = 0; k < bins_; ++k) {
      const double hertz = static_cast<double>(k * rate) / static_cast<double>(n_fft);
      const double weight = std::min((hertz - low) / (middle - low), (high - hertz) / (high - middle));
      if (weight <= 0) continue;
      filter.first = std::min(filter.first, k);
      filter.weights.push_back(weight * 2 / (high - low));
    }
    if (filter.weights.empty())
      fail<ValueError>("LogMel: n_mels = ", n_mels, " are too many for windows of ", n_fft, " samples at ",
                       rate, " a second: number ", m, " hears no frequency; fewer, or longer windows");
    filters_.push_back(std::move(filter));
  }
}

int64_t LogMel::frames(int64_t samples) const { return std::max<int64_t>(1, samples / options_.hop_length); }

void LogMel::write(std::span<const float> samples, std::span<float> to) const {
  const int64_t n_fft = options_.n_fft, size = std::ssize(samples), count = frames(size);
  if (size < 1) fail<ValueError>("LogMel: no samples");
  std::vector<double> x(static_cast<size_t>(n_fft)), re(static_cast<size_t>(bins_)), im(re.size()),
      logs(static_cast<size_t>(count * options_.n_mels));
  double largest = -1e300;
  double* next = logs.data();
  for (int64_t t = 0; t < count; ++t) {
    const int64_t begin = t * options_.hop_length - n_fft / 2;
    for (int64_t n = 0; n < n_fft; ++n) {
      const int64_t at = begin + n;
      x[static_cast<size_t>(n)] =
          window_[static_cast<size_t>(n)] *
          samples[static_cast<size_t>(at >= 0 && at < size ? at : mirrored(at, size))];
    }
    std::ranges::fill(re, 0.0);
    std::ranges::fill(im, 0.0);
    for (int64_t n = 0; n < half_; ++n) {
      // cos is even and sin odd about the middle of the window.
      const int64_t other = n_fft - n;
      const bool alone = n == 0 || other == n;
      const double a = x[static_cast<size_t>(n)], b = alone ? 0 : x[static_cast<size_t>(other)];
      const double even = a + b, odd = alone ? 0 : a - b;
      const double* const c = cosines_.data() + n * bins_;
      const double* const s = sines_.data() + n * bins_;
      for (int64_t k = 0; k < bins_; ++k) {
        re[static_cast<size_t>(k)] += even * c[k];
        im[static_cast<size_t>(k)] += odd * s[k];
      }
    }
    for (size_t k = 0; k < re.size(); ++k) re[k] = re[k] * re[k] + im[k] * im[k];
    for (const Filter& filter : filters_) {
      double sum = 0;
      for (size_t i = 0; i < filter.weights.size(); ++i)
        sum += filter.weights[i] * re[static_cast<size_t>(filter.first) + i];
      const double value = math::log(std::max(sum, 1e-10)) / math::log(10.0);
      largest = std::max(largest, value);
      *next++ = value;
    }
  }
  for (double& value : logs) value = (std::max(value, largest - 8) + 4) / 4;
  if (options_.centred) {
    const auto M = static_cast<size_t>(options_.n_mels);
    for (size_t m = 0; m < M; ++m) {
      double sum = 0;
      for (size_t i = m; i < logs.size(); i += M) sum += logs[i];
      for (size_t i = m; i < logs.size(); i += M) logs[i] -= sum / static_cast<double>(count);
    }
  }
  std::ranges::transform(logs, to.begin(), [](double value) { return static_cast<float>(value); });
}

}  // namespace weft
