// Log-mel frames: a sound as a model hears it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace weft {

/// Frames of Whisper's definition (Radford et al. 2022, section 2.2; its audio.py), at any rate: of windows of n_fft samples,
/// hop_length apart and centred on their places, the sound mirrored beyond its ends, weighted by a periodic Hann window, the
/// power at each frequency; triangles on Slaney's mel scale from 0 to half the rate, each of area 1 (librosa.filters.mel's
/// defaults); the logarithm to base 10 of at least 1e-10, no lower than 8 below the sound's largest; (that + 4) / 4. In
/// double, then rounded.
class LogMel {
 public:
  struct Options {
    int64_t rate = 16000;
    int64_t n_fft = 400;
    int64_t hop_length = 160;
    int64_t n_mels = 80;
    /// Whether each band's mean over the sound is taken out, so that it does not matter what a microphone does to it (Atal,
    /// "Effectiveness of linear prediction characteristics of the speech wave...", 1974, of cepstra).
    bool centred = false;
    bool operator==(const Options&) const = default;
  };
  /// Of windows of `window` and `hop` milliseconds.
  static Options options_for(int64_t rate, int64_t n_mels, double window, double hop, bool centred = false);

  /// ValueError for numbers below 1, a window of fewer than 2 samples, and filters so narrow that one hears nothing.
  explicit LogMel(const Options& options);

  const Options& options() const { return options_; }
  /// Of so many samples: samples / hop_length, rounded down, but at least 1.
  int64_t frames(int64_t samples) const;
  /// Writes frames (frames(samples), n_mels). ValueError for no samples.
  void write(std::span<const float> samples, std::span<float> to) const;

 private:
  Options options_;
  int64_t bins_ = 0, half_ = 0;
  std::vector<double> window_, cosines_,
      sines_;  ///< (half, bins), of what is folded at the middle of a window
  struct Filter {
    int64_t first = 0;
    std::vector<double> weights = {};
  };
  std::vector<Filter> filters_;
};

}  // namespace weft
