// Sounds that tests make, as files.
#pragma once

#include <doctest/doctest.h>
#include <weft/data/sounds/sound.h>
#include <weft/lib/base/error.h>
#include <weft/lib/machine/plugin.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace weft::test {

inline void add_number(std::string& to, int64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to += static_cast<char>(value >> (8 * i) & 255);
}

/// WAV, PCM of 16 bits; `says` are the bytes of sound that its header promises, if not those that there are.
inline std::string wav(const std::vector<double>& samples, int64_t rate = 8000, int64_t says = -1) {
  const int64_t bytes = 2 * std::ssize(samples);
  std::string file = "RIFF";
  add_number(file, 36 + bytes, 4);
  file += "WAVEfmt ";
  for (const auto& [value, size] : std::vector<std::pair<int64_t, int>>{
           {16, 4}, {1, 2}, {1, 2}, {rate, 4}, {2 * rate, 4}, {2, 2}, {16, 2}})
    add_number(file, value, size);
  file += "data";
  add_number(file, says < 0 ? bytes : says, 4);
  for (const double sample : samples) add_number(file, std::llround(sample * 32767), 2);
  return file;
}

inline std::vector<double> tone(double hertz, double seconds, int64_t rate = 8000, double loud = 0.5) {
  std::vector<double> samples;
  for (int64_t i = 0; i < static_cast<int64_t>(seconds * static_cast<double>(rate)); ++i)
    samples.push_back(
        loud * std::sin(2 * 3.14159265358979 * hertz * static_cast<double>(i) / static_cast<double>(rate)));
  return samples;
}

/// Whether there is a plug-in; one that was not built is said.
inline bool has_sounds() {
  try {
    const std::string bytes = wav(tone(440, 0.1));
    decode_sound({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, "tone.wav");
    return true;
  } catch (const PluginError& error) {
    MESSAGE("skipped: ", error.what());
    return false;
  }
}

}  // namespace weft::test
