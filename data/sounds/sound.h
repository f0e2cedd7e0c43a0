// Sounds as files hold them: WAV, FLAC, Ogg and what else libsndfile reads.
//
//   const Sound sound = resampled(read_sound("word.wav"), 16000);
//
// They are read and resampled by a plug-in, libweft-sounds.so, which is loaded with the first of them.
#pragma once

#include <weft/lib/settings/registry.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// What a file says of its sound before anything is decoded.
struct SoundShape {
  int64_t rate = 0;  ///< samples a second
  int64_t channels = 0;
  int64_t frames = 0;  ///< samples of each channel
  bool operator==(const SoundShape&) const = default;
};

/// One channel; of several their mean.
struct Sound {
  int64_t rate = 0;
  std::vector<float> samples;  ///< about [-1, 1]
  double seconds() const {
    return rate > 0 ? static_cast<double>(samples.size()) / static_cast<double>(rate) : 0;
  }
};

/// Samples that a sound may have, all channels together: four hours at 16,000 a second.
inline constexpr int64_t most_samples = int64_t{1} << 28;
inline constexpr int64_t least_rate = 1000, most_rate = 768'000;

/// What a kind of file is. One of a user's is known after register_sound_format({.name = "mine", ...}).
struct SoundFormat {
  std::string name;
  std::vector<std::string> endings;  ///< ".wav"
  /// Whether the bytes begin as such a file does.
  std::function<bool(std::span<const uint8_t> bytes)> is;
  /// Both throw FileError that begins with the path.
  std::function<SoundShape(std::span<const uint8_t> bytes, const std::string& path)> shape;
  std::function<Sound(std::span<const uint8_t> bytes, const std::string& path)> decode;
};
/// The registry, in which ours are from the start: wav, flac, ogg, aiff.
Registry<SoundFormat>& sound_formats();
/// ValueError for a name that is taken.
void register_sound_format(SoundFormat format);

/// Whether a file's ending is that of a sound.
bool is_sound_name(std::string_view path);

/// What a file is, is told by its bytes. FileError, beginning with the path, for what is no sound, is damaged, holds fewer or
/// no samples than it says, has NaN in it, or more than most_samples, or a rate outside of least_rate .. most_rate.
Sound decode_sound(std::span<const uint8_t> bytes, const std::string& path);
SoundShape sound_shape(std::span<const uint8_t> bytes, const std::string& path);
Sound read_sound(const std::string& path);

/// At another rate, by libsamplerate's band-limited interpolation (its medium quality); as it is at its own.
/// round(samples rate / its rate) samples, at least one. ValueError for rates outside of least_rate .. most_rate.
Sound resampled(Sound sound, int64_t rate);

}  // namespace weft
