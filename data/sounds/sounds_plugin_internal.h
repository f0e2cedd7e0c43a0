// Between weft and its plug-in libweft-sounds.so, which is linked with libsndfile and libsamplerate, as weft is not. In C, so
// that the two may be built apart. Internal to data.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

struct weft_sound_request {
  const unsigned char* bytes;
  size_t size;
  void* self;
  /// Memory for frames * channels samples, which lie side by side; nullptr refuses, or wants to know no more: the plug-in
  /// then returns.
  float* (*start)(void* self, int64_t rate, int64_t channels, int64_t frames);
  /// How many frames there were.
  void (*finish)(void* self, int64_t frames);
  /// Takes what was wrong.
  void (*take_error)(void* self, const char* text);
};

/// The plug-in's functions: all samples are there, or take_error or start has said why not. No exception leaves them, and
/// none may come in.
using weft_sound_decode_function = void(const weft_sound_request*);

/// `from` at `ratio` times its rate, at most `most` samples; how many there are, or -1.
using weft_sound_resample_function = int64_t(const float* from, int64_t size, double ratio, float* to,
                                             int64_t most);

}  // extern "C"

namespace weft {
inline constexpr const char* sounds_plugin = "libweft-sounds.so";
inline constexpr const char* sound_decode_function = "weft_sound_decode_1";  ///< 1: of this request
inline constexpr const char* sound_resample_function = "weft_sound_resample_1";
}  // namespace weft
