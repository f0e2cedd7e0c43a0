#include <doctest/doctest.h>
#include <weft/data/sounds/sound_augment.h>

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace weft;

namespace {

Draws draws(uint64_t sample) { return {random_key(5, 1), sample}; }

std::vector<float> steady_tone(int64_t size) {
  std::vector<float> samples;
  for (int64_t i = 0; i < size; ++i)
    samples.push_back(static_cast<float>(0.5 * std::sin(0.2 * static_cast<double>(i))));
  return samples;
}

double loudness(const std::vector<float>& samples) {
  double sum = 0;
  for (const float one : samples) sum += static_cast<double>(one) * one;
  return std::sqrt(sum / static_cast<double>(samples.size()));
}

}  // namespace

TEST_CASE("sound augmentation: nothing is drawn or changed for what is not asked for") {
  Draws fresh = draws(1), used = draws(1);
  CHECK(augmented(steady_tone(100), 8000, {}, used) == steady_tone(100));
  std::vector<float> frames(60, 0.5F);
  augment_frames(frames, 6, {}, used);
  CHECK(frames == std::vector<float>(60, 0.5F));
  CHECK(used.uniform() == fresh.uniform());
}

TEST_CASE("sound augmentation: speed changes length and height alike") {
  for (uint64_t sample = 0; sample < 20; ++sample) {
    Draws d = draws(sample), again = draws(sample);
    const double factor = 0.8 + 0.4 * again.uniform();
    const auto made = augmented(steady_tone(4000), 8000, {.speed = 0.2}, d);
    CHECK(std::ssize(made) == std::llround(4000 / factor));
    CHECK(std::ssize(made) <= SoundAugmentOptions{.speed = 0.2}.most_samples(4000, 8000));
    for (int64_t i = 10; i < 3000; i += 97)
      CHECK(made[static_cast<size_t>(i)] ==
            doctest::Approx(0.5 * std::sin(0.2 * factor * static_cast<double>(i))).epsilon(0.01).scale(1));
  }
}

TEST_CASE("sound augmentation: loudness, silence and noise keep to their limits") {
  double quietest = 9, loudest = 0;
  for (uint64_t sample = 0; sample < 200; ++sample) {
    Draws d = draws(sample);
    const double share =
        loudness(augmented(steady_tone(800), 8000, {.gain = 6}, d)) / loudness(steady_tone(800));
    quietest = std::min(quietest, share);
    loudest = std::max(loudest, share);
    Draws e = draws(sample);
    const auto longer = augmented(steady_tone(800), 8000, {.silence = 0.1}, e);
    CHECK(std::ssize(longer) >= 800);
    CHECK(std::ssize(longer) <= SoundAugmentOptions{.silence = 0.1}.most_samples(800, 8000));
    Draws f = draws(sample);
    auto noisy = augmented(steady_tone(800), 8000, {.noise = 0.5}, f);
    for (size_t i = 0; i < noisy.size(); ++i) noisy[i] -= steady_tone(800)[i];
    CHECK(loudness(noisy) <= 0.6 * loudness(steady_tone(800)));
  }
  CHECK(quietest > 0.49);
  CHECK(quietest < 0.55);
  CHECK(loudest < 2.01);
  CHECK(loudest > 1.85);
}

TEST_CASE("sound augmentation: masks hide stretches and bands, warp and equalize move and raise them") {
  const int64_t T = 40, M = 20;
  std::vector<float> plain(static_cast<size_t>(T * M));
  for (size_t i = 0; i < plain.size(); ++i) plain[i] = static_cast<float>(i % 20) / 20;
  int64_t hidden = 0, elsewhere = 0;
  for (uint64_t sample = 0; sample < 50; ++sample) {
    Draws d = draws(sample);
    auto frames = plain;
    augment_frames(frames, M, {.time_masks = 1, .time_mask = 0.25}, d);
    int64_t rows = 0;
    for (int64_t t = 0; t < T; ++t) {
      const bool changed = frames[static_cast<size_t>(t * M)] != plain[static_cast<size_t>(t * M)];
      for (int64_t m = 0; m < M; ++m)
        CHECK((frames[static_cast<size_t>(t * M + m)] == doctest::Approx(0.475)) == changed);
      rows += changed;
    }
    CHECK(rows <= 10);
    hidden += rows;
    elsewhere += rows > 0 && frames[0] == plain[0];
    Draws e = draws(sample), again = draws(sample);
    frames = plain;
    augment_frames(frames, M, {.warp = 0.2}, e);
    const double factor = 0.8 + 0.4 * again.uniform();
    for (int64_t m = 0; m < M; ++m)
      CHECK(frames[static_cast<size_t>(3 * M + m)] ==
            doctest::Approx(std::min(static_cast<double>(m) * factor, 19.0) / 20).epsilon(1e-5));
    Draws f = draws(sample);
    frames = plain;
    augment_frames(frames, M, {.equalize = 8}, f);
    for (int64_t m = 0; m < M; ++m) {
      const float by = frames[static_cast<size_t>(m)] - plain[static_cast<size_t>(m)];
      CHECK(std::abs(by) <= 8.0 / 40 + 1e-6);
      CHECK(frames[static_cast<size_t>(7 * M + m)] - plain[static_cast<size_t>(7 * M + m)] ==
            doctest::Approx(by).epsilon(1e-4));
    }
  }
  CHECK(hidden > 100);
  CHECK(elsewhere > 20);  // of 50, not at the beginning
}
