// Other forms of a sound, drawn anew for each epoch.
#pragma once

#include <weft/data/generators/draws.h>
#include <weft/lib/settings/settings.h>

#include <cstdint>
#include <span>
#include <vector>

namespace weft {

/// How far a sound may be changed; 0 is not at all. The masks are SpecAugment's (Park et al. 2019, section 2).
struct SoundAugmentOptions {
  double speed = 0;  ///< s: between 1 - s and 1 + s times as fast, and so as high, uniformly (Ko et al. 2015)
  double gain = 0;   ///< decibels, uniformly to both sides
  /// Decibels that bands are raised or lowered by, along a line through five points, each uniformly to both sides: another
  /// microphone, or room.
  double equalize = 0;
  /// w: bands lie between 1 - w and 1 + w times as high, uniformly: a longer or shorter throat (Jaitly and Hinton, "Vocal Tract
  /// Length Perturbation (VTLP) improves speech recognition", 2013).
  double warp = 0;
  double noise =
      0;  ///< loudness of white noise, up to this share of the sound's (root mean square), uniformly
  double silence =
      0;  ///< seconds of silence, or of the noise, put before and behind, each up to this, uniformly
  int64_t time_masks = 0;       ///< stretches of frames that are silent
  double time_mask = 0.1;       ///< share of the frames, at most, that one hides
  int64_t frequency_masks = 0;  ///< bands that are silent
  double frequency_mask = 0.2;  ///< share of the bands, at most, that one hides

  static const Settings<SoundAugmentOptions>& settings();
  /// The most samples that so many may become.
  int64_t most_samples(int64_t samples, int64_t rate) const;
};

/// The sound as it is heard this time. Nothing is drawn for what is not asked for.
std::vector<float> augmented(std::vector<float> samples, int64_t rate, const SoundAugmentOptions& options,
                             Draws& draws);
/// Frames (T, M) as they are heard this time: first warp and equalize, then stretches and bands are hidden, which become the frames'
/// mean.
void augment_frames(std::span<float> frames, int64_t n_mels, const SoundAugmentOptions& options,
                    Draws& draws);

}  // namespace weft
