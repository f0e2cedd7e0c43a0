#include <weft/data/labelled_files.h>
#include <weft/data/sounds/sound.h>
#include <weft/data/sounds/sounds_plugin_internal.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>
#include <weft/lib/machine/plugin.h>

#include <algorithm>
#include <cmath>

namespace weft {
namespace {

using Bytes = std::span<const uint8_t>;

constexpr int64_t unknown_frames = INT64_MAX;  // libsndfile's, of what is streamed

void* loaded(const char* function) {
  return plugin_function({.library = sounds_plugin,
                          .function = function,
                          .purpose = "reading sounds",
                          .needs = "libsndfile1-dev and libsamplerate0-dev"});
}

void check_shape(const SoundShape& shape, const std::string& path) {
  const auto [rate, channels, frames] = shape;
  if (rate < least_rate || rate > most_rate)
    fail<FileError>(path, ": says it has ", grouped(rate), " samples a second; ", grouped(least_rate), " to ",
                    grouped(most_rate), " are read");
  if (channels < 1) fail<FileError>(path, ": has no channels");
  if (frames < 1) fail<FileError>(path, ": holds no sound");
  if (frames > most_samples / channels)
    fail<FileError>(path, ": says it has ",
                    frames == unknown_frames ? "samples without an end" : grouped(frames) + " samples",
                    " in ", channels, " channels, more than the ", grouped(most_samples),
                    " that a sound may have");
}

/// What passes through C.
struct Exchange {
  std::string path;
  bool looks = false;  ///< at the shape alone
  SoundShape shape = {};
  std::vector<float> samples = {};
  int64_t read = 0;
  std::string error = {};
};

float* start(void* self, int64_t rate, int64_t channels, int64_t frames) {
  auto& to = *static_cast<Exchange*>(self);
  try {
    to.shape = {rate, channels, frames};
    check_shape(to.shape, to.path);
    if (to.looks) return nullptr;
    to.samples.resize(static_cast<size_t>(frames * channels));
    return to.samples.data();
  } catch (const std::exception& error) {
    to.error = error.what();
    return nullptr;
  }
}

Exchange exchanged(Bytes bytes, const std::string& path, bool looks) {
  static auto* const decode = reinterpret_cast<weft_sound_decode_function*>(loaded(sound_decode_function));
  Exchange exchange{.path = path, .looks = looks};
  const weft_sound_request request{
      .bytes = bytes.data(),
      .size = bytes.size(),
      .self = &exchange,
      .start = start,
      .finish = [](void* self, int64_t frames) { static_cast<Exchange*>(self)->read = frames; },
      .take_error =
          [](void* self, const char* text) {
            auto& to = *static_cast<Exchange*>(self);
            to.error = str(to.path, ": cannot be decoded: ", text);
          }};
  decode(&request);
  if (!exchange.error.empty()) fail<FileError>(exchange.error);
  return exchange;
}

uint32_t little_endian(Bytes bytes, size_t at) {
  return bytes[at] | uint32_t{bytes[at + 1]} << 8 | uint32_t{bytes[at + 2]} << 16 |
         uint32_t{bytes[at + 3]} << 24;
}

bool has_word(Bytes bytes, size_t at, std::string_view word) {
  return bytes.size() >= at + word.size() &&
         std::equal(word.begin(), word.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; });
}

/// libsndfile takes what is there of a WAV whose header says that there is more. What is streamed says 0xFFFFFFFF, or all but
/// the header, and ends anywhere.
void check_wav(Bytes bytes, const std::string& path) {
  if (!has_word(bytes, 0, "RIFF")) return;
  constexpr uint32_t streamed = 0x7FFF0000;
  for (size_t at = 12; at + 8 <= bytes.size();) {
    const uint32_t size = little_endian(bytes, at + 4);
    const size_t there = bytes.size() - at - 8;
    if (has_word(bytes, at, "data")) {
      if (size > there && size < streamed)
        fail<FileError>(path, ": ends early: its header says it has ", grouped(size), " bytes of sound, and ",
                        grouped(static_cast<int64_t>(there)), " are there");
      return;
    }
    at += 8 + size_t{size} + size % 2;
  }
}

SoundShape shape_of(Bytes bytes, const std::string& path) {
  check_wav(bytes, path);
  return exchanged(bytes, path, true).shape;
}

Sound decoded(Bytes bytes, const std::string& path) {
  check_wav(bytes, path);
  const Exchange all = exchanged(bytes, path, false);
  const auto [rate, channels, frames] = all.shape;
  if (all.read < frames)
    fail<FileError>(path, ": ends early: says it has ", grouped(frames), " samples, and ", grouped(all.read),
                    " can be read");
  Sound sound{.rate = rate, .samples = std::vector<float>(static_cast<size_t>(frames))};
  const float* from = all.samples.data();
  for (float& sample : sound.samples) {
    double sum = 0;
    for (int64_t c = 0; c < channels; ++c) sum += *from++;
    sample = static_cast<float>(sum / static_cast<double>(channels));
    if (!std::isfinite(sample)) fail<FileError>(path, ": has NaN or infinity in it, so it is no sound");
  }
  return sound;
}

SoundFormat by_library(std::string name, std::vector<std::string> endings, std::function<bool(Bytes)> is) {
  return {.name = std::move(name),
          .endings = std::move(endings),
          .is = std::move(is),
          .shape = shape_of,
          .decode = decoded};
}

void add_ours(Registry<SoundFormat>& to) {
  to.add(by_library("wav", {".wav"}, [](Bytes bytes) {
    return (has_word(bytes, 0, "RIFF") || has_word(bytes, 0, "RIFX") || has_word(bytes, 0, "RF64")) &&
           has_word(bytes, 8, "WAVE");
  }));
  to.add(by_library("flac", {".flac"}, [](Bytes bytes) { return has_word(bytes, 0, "fLaC"); }));
  to.add(
      by_library("ogg", {".ogg", ".oga", ".opus"}, [](Bytes bytes) { return has_word(bytes, 0, "OggS"); }));
  to.add(by_library("aiff", {".aiff", ".aif"}, [](Bytes bytes) {
    return has_word(bytes, 0, "FORM") && (has_word(bytes, 8, "AIFF") || has_word(bytes, 8, "AIFC"));
  }));
}

const SoundFormat& format_of(Bytes bytes, const std::string& path) {
  std::vector<std::string> names;
  for (const SoundFormat* const format : sound_formats().entries()) {
    if (format->is(bytes)) return *format;
    names.push_back(format->name);
  }
  if (bytes.empty()) fail<FileError>(path, ": is empty");
  fail<FileError>(path, ": is no sound that is known; these are: ", joined(names));
}

}  // namespace

Registry<SoundFormat>& sound_formats() {
  static Registry<SoundFormat> all("sound format");
  static const bool filled = (add_ours(all), true);
  static_cast<void>(filled);
  return all;
}

void register_sound_format(SoundFormat format) { sound_formats().add(std::move(format)); }

bool is_sound_name(std::string_view path) {
  return std::ranges::any_of(sound_formats().entries(),
                             [&](const SoundFormat* format) { return ends_as(path, format->endings); });
}

Sound decode_sound(std::span<const uint8_t> bytes, const std::string& path) {
  return format_of(bytes, path).decode(bytes, path);
}

SoundShape sound_shape(std::span<const uint8_t> bytes, const std::string& path) {
  const SoundShape shape = format_of(bytes, path).shape(bytes, path);
  check_shape(shape, path);
  return shape;
}

Sound read_sound(const std::string& path) { return decode_sound(read_file(path), path); }

Sound resampled(Sound sound, int64_t rate) {
  for (const int64_t one : {sound.rate, rate})
    if (one < least_rate || one > most_rate)
      fail<ValueError>("resampled: a rate of ", one, " is not between ", least_rate, " and ", most_rate);
  if (sound.rate == rate) return sound;
  static auto* const resample =
      reinterpret_cast<weft_sound_resample_function*>(loaded(sound_resample_function));
  const double ratio = static_cast<double>(rate) / static_cast<double>(sound.rate);
  const auto wanted = std::max<int64_t>(1, std::llround(static_cast<double>(sound.samples.size()) * ratio));
  Sound made{.rate = rate, .samples = std::vector<float>(static_cast<size_t>(wanted))};
  if (resample(sound.samples.data(), std::ssize(sound.samples), ratio, made.samples.data(), wanted) < 0)
    fail<ValueError>("resampled: from ", sound.rate, " to ", rate, " samples a second is too far");
  return made;
}

}  // namespace weft
