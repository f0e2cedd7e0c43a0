// What is read of sounds, beside what soundfile reads: tests/reference/sounds.py.
#include <doctest/doctest.h>
#include <weft/data/sounds/sound.h>
#include <weft/lib/array/random.h>
#include <weft/lib/base/file.h>
#include <weft/lib/files/hdf5_file.h>

#include "checks.h"
#include "data/sounds/sounds.h"
#include "folder.h"

using namespace weft;
using namespace weft::test;

namespace {

const std::string folder_of_others = std::string(WEFT_SOURCE_DIR) + "/tests/reference/sounds/";

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

TEST_CASE("sounds: WAV of several depths and channels, and FLAC, as soundfile reads them") {
  if (!has_sounds()) return;
  const StateDict expected = read_hdf5(folder_of_others + "samples.h5");
  for (const std::string name : {"one.wav", "two.wav", "deep.wav", "float.wav", "one.flac"}) {
    CAPTURE(name);
    const Sound sound = read_sound(folder_of_others + name);
    CHECK(sound.rate == 8000);
    const Array found = Array::from(sound.samples, {std::ssize(sound.samples)});
    CHECK(found.identical(expected.array(name)));
    const SoundShape shape = sound_shape(read_file(folder_of_others + name), name);
    CHECK(shape == SoundShape{8000, name == "two.wav" ? 2 : 1, 2000});
  }
}

TEST_CASE("sounds: a tone keeps its height and loudness at another rate") {
  if (!has_sounds()) return;
  const std::string file = wav(tone(500, 1.0));
  const Sound sound = decode_sound(bytes_of(file), "tone.wav");
  for (const int64_t rate : {16000, 11025, 4000}) {
    CAPTURE(rate);
    const Sound other = resampled(sound, rate);
    CHECK(other.rate == rate);
    CHECK(std::ssize(other.samples) == rate);
    double worst = 0;
    for (int64_t i = rate / 10; i < 9 * rate / 10; ++i)
      worst = std::max(worst, std::abs(other.samples[static_cast<size_t>(i)] -
                                       0.5 * std::sin(2 * 3.14159265358979 * 500 * static_cast<double>(i) /
                                                      static_cast<double>(rate))));
    CHECK(worst < 0.002);
  }
  CHECK(resampled(sound, 8000).samples == sound.samples);
  refuses<ValueError>([&] { resampled(sound, 10); },
                      {"resampled: a rate of 10 is not between 1000 and 768000"});
}

TEST_CASE("sounds: what is refused, with the file's name") {
  if (!has_sounds()) return;
  const auto refused = [](const std::string& file, const std::string& why) {
    refuses<FileError>([&] { decode_sound(bytes_of(file), "a.wav"); }, {why});
  };
  refused("", "a.wav: is empty");
  refused("hello, this is text", "a.wav: is no sound that is known; these are: wav, flac, ogg, aiff");
  refused(wav({}), "a.wav: holds no sound");
  const std::string whole = wav(tone(440, 0.1));
  refused(whole.substr(0, 900),
          "a.wav: ends early: its header says it has 1,600 bytes of sound, and 856 are there");
  refused(wav(tone(440, 0.1), 8000, 5000),
          "a.wav: ends early: its header says it has 5,000 bytes of sound, and 1,600 are there");
  refused(wav(tone(440, 0.1), 10), "a.wav: says it has 10 samples a second; 1,000 to 768,000 are read");
  const std::string flac = [&] {
    const std::vector<uint8_t> bytes = read_file(folder_of_others + "one.flac");
    return std::string(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2));
  }();
  CHECK_THROWS_AS(decode_sound(bytes_of(flac), "a.flac"), FileError);
  std::string loud = wav(tone(440, 0.1));
  loud.replace(20, 2, std::string{3, 0});  // float, of 16 bits: there is no such thing
  CHECK_THROWS_AS(decode_sound(bytes_of(loud), "a.wav"), FileError);
  // What is streamed into a file says no length.
  CHECK(decode_sound(bytes_of(wav(tone(440, 0.1), 8000, 0x7FFFFFFF)), "a.wav").samples.size() == 800);
}

TEST_CASE("sounds: damaged files are read or refused, and nothing else") {
  if (!has_sounds()) return;
  int64_t read = 0, refused = 0;
  for (const std::string name : {"one.wav", "two.wav", "deep.wav", "float.wav", "one.flac"}) {
    const std::vector<uint8_t> whole = read_file(folder_of_others + name);
    for (uint64_t i = 0; i < 300; ++i) {
      std::vector<uint8_t> bytes = whole;
      const RandomKey key = random_key(i, stream_id(name));
      if (i % 3 == 0) bytes.resize(integer_at(key, 0, 0, bytes.size()));
      for (uint64_t n = 0; n < 1 + i % 4 && !bytes.empty(); ++n)
        bytes[integer_at(key, 1, 2 * n, std::min<size_t>(bytes.size(), i % 2 == 0 ? 60 : bytes.size()))] =
            static_cast<uint8_t>(integer_at(key, 1, 2 * n + 1, 256));
      try {
        const Sound sound = decode_sound(bytes, name);
        for (const float sample : sound.samples) REQUIRE(std::isfinite(sample));
        ++read;
      } catch (const FileError&) {
        ++refused;
      }
    }
  }
  CHECK(read > 100);
  CHECK(refused > 100);
}

TEST_CASE("sounds: a format of a user's own") {
  register_sound_format({.name = "ramp",
                         .endings = {".ramp"},
                         .is =
                             [](std::span<const uint8_t> bytes) {
                               return bytes.size() > 3 && bytes[0] == 'R' && bytes[1] == 'A' &&
                                      bytes[2] == 'M';
                             },
                         .shape =
                             [](std::span<const uint8_t> bytes, const std::string&) {
                               return SoundShape{8000, 1, std::ssize(bytes) - 3};
                             },
                         .decode =
                             [](std::span<const uint8_t> bytes, const std::string&) {
                               Sound sound{.rate = 8000, .samples = {}};
                               for (size_t i = 3; i < bytes.size(); ++i)
                                 sound.samples.push_back(static_cast<float>(bytes[i]) / 255);
                               return sound;
                             }});
  CHECK(is_sound_name("A.RAMP"));
  CHECK_FALSE(is_sound_name("a.png"));
  CHECK(decode_sound(bytes_of("RAM\xff"), "a.ramp").samples == std::vector<float>{1});
}
