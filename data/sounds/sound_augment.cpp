#include <weft/data/sounds/sound_augment.h>
#include <weft/lib/base/math.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace weft {
namespace {

double between(Draws& draws, double low, double high) { return low + (high - low) * draws.uniform(); }

/// Of values at whole places, the one at `x`, by Catmull and Rom's cubic through the four about it.
double cubic(const std::vector<float>& values, double x) {
  const auto last = std::ssize(values) - 1;
  const auto at = static_cast<int64_t>(std::floor(x));
  const double f = x - static_cast<double>(at);
  const auto value = [&](int64_t i) {
    return static_cast<double>(values[static_cast<size_t>(std::clamp<int64_t>(i, 0, last))]);
  };
  const double a = value(at - 1), b = value(at), c = value(at + 1), d = value(at + 2);
  return b + f / 2 * (c - a + f * (2 * a - 5 * b + 4 * c - d + f * (3 * (b - c) + d - a)));
}

double loudness(const std::vector<float>& samples) {
  double sum = 0;
  for (const float sample : samples) sum += static_cast<double>(sample) * sample;
  return std::sqrt(sum / static_cast<double>(std::max<size_t>(1, samples.size())));
}

/// Two numbers of a normal distribution by Box and Muller's method.
class Normal {
 public:
  explicit Normal(Draws& draws) : draws_(draws) {}
  double next() {
    if (has_second_) {
      has_second_ = false;
      return second_;
    }
    const double u = draws_.uniform(), v = draws_.uniform();
    const double radius = math::sqrt(-2 * math::log(1 - u));
    second_ = radius * math::sin(2 * std::numbers::pi * v);
    has_second_ = true;
    return radius * math::cos(2 * std::numbers::pi * v);
  }

 private:
  Draws& draws_;
  double second_ = 0;
  bool has_second_ = false;
};

void warp(std::span<float> frames, int64_t n_mels, double factor) {
  const auto M = static_cast<size_t>(n_mels);
  std::vector<float> row(M);
  for (size_t begin = 0; begin < frames.size(); begin += M) {
    for (size_t m = 0; m < M; ++m) {
      const double at = std::min(static_cast<double>(m) * factor, static_cast<double>(M - 1));
      const auto left = static_cast<size_t>(at);
      const double share = at - static_cast<double>(left);
      const double low = frames[begin + left], high = frames[begin + std::min(left + 1, M - 1)];
      row[m] = static_cast<float>(low + share * (high - low));
    }
    std::ranges::copy(row, frames.begin() + static_cast<std::ptrdiff_t>(begin));
  }
}

void equalize(std::span<float> frames, int64_t n_mels, double most, Draws& draws) {
  constexpr size_t points = 5;
  constexpr double decibel = 1.0 / 40;  // frames are a fourth of a logarithm to base 10
  std::array<double, points> levels{};
  for (double& level : levels) level = between(draws, -most, most) * decibel;
  for (int64_t m = 0; m < n_mels; ++m) {
    const double at =
        static_cast<double>(m) * (points - 1) / static_cast<double>(std::max<int64_t>(1, n_mels - 1));
    const auto left = std::min(static_cast<size_t>(at), points - 2);
    const double share = at - static_cast<double>(left),
                 level = levels[left] * (1 - share) + levels[left + 1] * share;
    for (size_t i = static_cast<size_t>(m); i < frames.size(); i += static_cast<size_t>(n_mels))
      frames[i] = static_cast<float>(frames[i] + level);
  }
}

}  // namespace

const Settings<SoundAugmentOptions>& SoundAugmentOptions::settings() {
  using C = SoundAugmentOptions;
  static const Settings<C> all = {
      Field(&C::speed, "speed", 0.0, 0.9, "sounds that train are played up to this share faster or slower"),
      Field(&C::gain, "gain", 0.0, 60.0, "sounds that train are up to so many decibels louder or softer"),
      Field(&C::equalize, "equalize", 0.0, 60.0,
            "bands of sounds that train are up to so many decibels louder or softer, along a line"),
      Field(&C::warp, "warp", 0.0, 0.9,
            "bands of sounds that train are up to this share higher or lower, as other voices are"),
      Field(&C::noise, "noise", 0.0, 100.0,
            "white noise up to this share of a sound's loudness is added in training"),
      Field(&C::silence, "silence", 0.0, 60.0,
            "up to so many seconds of silence stand before and behind, in training"),
      Field(&C::time_masks, "time_masks", 0, 100,
            "stretches of a sound that are hidden in training (SpecAugment)"),
      Field(&C::time_mask, "time_mask", 0.0, 1.0, "share of the sound that one of them hides, at most"),
      Field(&C::frequency_masks, "frequency_masks", 0, 100,
            "bands of frequencies that are hidden in training (SpecAugment)"),
      Field(&C::frequency_mask, "frequency_mask", 0.0, 1.0,
            "share of the bands that one of them hides, at most")};
  return all;
}

int64_t SoundAugmentOptions::most_samples(int64_t samples, int64_t rate) const {
  return static_cast<int64_t>(static_cast<double>(samples) / (1 - speed) +
                              2 * silence * static_cast<double>(rate)) +
         2;
}

std::vector<float> augmented(std::vector<float> samples, int64_t rate, const SoundAugmentOptions& o,
                             Draws& draws) {
  if (o.speed > 0) {
    const double factor = between(draws, 1 - o.speed, 1 + o.speed);
    const auto size = std::max<int64_t>(1, std::llround(static_cast<double>(samples.size()) / factor));
    std::vector<float> other;
    for (int64_t i = 0; i < size; ++i)
      other.push_back(static_cast<float>(cubic(samples, static_cast<double>(i) * factor)));
    samples = std::move(other);
  }
  if (o.gain > 0) {
    const double factor = math::pow(10, between(draws, -o.gain, o.gain) / 20);
    for (float& sample : samples) sample = static_cast<float>(sample * factor);
  }
  const double loud = o.noise > 0 ? loudness(samples) : 0;
  if (o.silence > 0) {
    const auto before = std::llround(between(draws, 0, o.silence) * static_cast<double>(rate)),
               behind = std::llround(between(draws, 0, o.silence) * static_cast<double>(rate));
    samples.insert(samples.begin(), static_cast<size_t>(before), 0.0F);
    samples.insert(samples.end(), static_cast<size_t>(behind), 0.0F);
  }
  if (o.noise > 0) {
    const double share = between(draws, 0, o.noise) * loud;
    Normal normal(draws);
    for (float& sample : samples) sample = static_cast<float>(sample + share * normal.next());
  }
  return samples;
}

void augment_frames(std::span<float> frames, int64_t n_mels, const SoundAugmentOptions& o, Draws& draws) {
  if (o.warp > 0) warp(frames, n_mels, between(draws, 1 - o.warp, 1 + o.warp));
  if (o.equalize > 0) equalize(frames, n_mels, o.equalize, draws);
  if (o.time_masks == 0 && o.frequency_masks == 0) return;
  const int64_t T = std::ssize(frames) / n_mels;
  double sum = 0;
  for (const float value : frames) sum += value;
  const auto mean = static_cast<float>(sum / static_cast<double>(frames.size()));
  const auto stretch = [&](int64_t size, double share) {
    const int64_t wide = draws.between(0, static_cast<int64_t>(share * static_cast<double>(size)));
    const int64_t begin = draws.between(0, size - wide);
    return std::pair(begin, begin + wide);
  };
  for (int64_t i = 0; i < o.time_masks; ++i) {
    const auto [begin, end] = stretch(T, o.time_mask);
    std::ranges::fill(
        frames.subspan(static_cast<size_t>(begin * n_mels), static_cast<size_t>((end - begin) * n_mels)),
        mean);
  }
  for (int64_t i = 0; i < o.frequency_masks; ++i) {
    const auto [begin, end] = stretch(n_mels, o.frequency_mask);
    for (int64_t t = 0; t < T; ++t)
      std::ranges::fill(
          frames.subspan(static_cast<size_t>(t * n_mels + begin), static_cast<size_t>(end - begin)), mean);
  }
}

}  // namespace weft
