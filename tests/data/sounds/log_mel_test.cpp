// Frames as Whisper's extractor and librosa make them: tests/reference/sounds.py.
#include <doctest/doctest.h>
#include <weft/data/sounds/log_mel.h>
#include <weft/lib/array/state_dict.h>
#include <weft/lib/base/error.h>
#include <weft/lib/files/hdf5_file.h>

#include "checks.h"

using namespace weft;

TEST_CASE("log-mel: frames equal those of Whisper and of librosa within 1e-4") {
  const StateDict file = read_hdf5(std::string(WEFT_SOURCE_DIR) + "/tests/reference/sounds.h5");
  int64_t cases = 0;
  for (const auto& [name, entry] : file.entries()) {
    CAPTURE(name);
    const StateDict one = file.dict(name);
    const LogMel frames({.rate = one.integer("rate"),
                         .n_fft = one.integer("n_fft"),
                         .hop_length = one.integer("hop_length"),
                         .n_mels = one.integer("n_mels")});
    const Array samples = one.array("samples"), expected = one.array("frames");
    const int64_t T = frames.frames(samples.size());
    CHECK(T == expected.dim(0));
    Array found({T, one.integer("n_mels")}, float32);
    frames.write(samples.values<float>(), {found.mutable_data<float>(), static_cast<size_t>(found.size())});
    CHECK(test::difference(found, expected, 1e-5, 1.0) == "");
    ++cases;
  }
  CHECK(cases == 4);
}

TEST_CASE("log-mel: any number of samples makes a frame, and a loud tone is heard where it is") {
  const LogMel frames(LogMel::options_for(8000, 40, 25, 10));
  CHECK(frames.options() == LogMel::Options{8000, 200, 80, 40});
  CHECK(frames.frames(1) == 1);
  CHECK(frames.frames(79) == 1);
  CHECK(frames.frames(161) == 2);
  for (const int64_t size : {1, 2, 3, 99, 101, 250}) {
    std::vector<float> samples(static_cast<size_t>(size), 0.5F),
        to(static_cast<size_t>(frames.frames(size) * 40));
    frames.write(samples, to);
    for (const float value : to) CHECK(std::isfinite(value));
  }
  std::vector<float> tone, to(static_cast<size_t>(frames.frames(8000) * 40));
  for (int64_t i = 0; i < 8000; ++i)
    tone.push_back(static_cast<float>(std::sin(2 * 3.14159265358979 * 1000 * static_cast<double>(i) / 8000)));
  frames.write(tone, to);
  const auto row = std::span(to).subspan(40 * 50, 40);
  // 1000 Hz is mel 15 of 35.2, and filter m is centred at 35.2 (m + 1) / 41.
  CHECK(std::abs((std::ranges::max_element(row) - row.begin()) - 16) <= 1);
}

TEST_CASE("log-mel: what is refused, and how") {
  test::refuses<ValueError>(
      [] { LogMel({.rate = 8000, .n_fft = 200, .hop_length = 80, .n_mels = 128}); },
      {"LogMel: n_mels = 128 are too many for windows of 200 samples at 8000 a second"});
  CHECK_THROWS_AS(LogMel({.rate = 8000, .n_fft = 1, .hop_length = 80, .n_mels = 40}), ValueError);
  const LogMel frames({.rate = 8000, .n_fft = 200, .hop_length = 80, .n_mels = 40});
  CHECK_THROWS_AS(frames.write({}, {}), ValueError);
}

TEST_CASE("log-mel: without its bands' means a sound is the same through any filter") {
  const LogMel plain({.rate = 8000, .n_fft = 200, .hop_length = 80, .n_mels = 20}),
      centred({.rate = 8000, .n_fft = 200, .hop_length = 80, .n_mels = 20, .centred = true});
  std::vector<float> samples;
  for (int i = 0; i < 4000; ++i)
    samples.push_back(static_cast<float>((i * 7919 % 1000) / 1000.0 - 0.5) * (i < 2000 ? 1 : 0.3F));
  std::vector<float> a(static_cast<size_t>(plain.frames(4000) * 20)), b(a.size()), c(a.size());
  plain.write(samples, a);
  centred.write(samples, b);
  for (float& sample : samples) sample *= 4;
  centred.write(samples, c);
  for (size_t m = 0; m < 20; ++m) {
    double mean = 0, left = 0;
    for (size_t i = m; i < a.size(); i += 20) {
      mean += a[i];
      left += b[i];
    }
    mean /= static_cast<double>(a.size() / 20);
    CHECK(std::abs(left) < 1e-4);
    for (size_t i = m; i < a.size(); i += 20) {
      CHECK(b[i] == doctest::Approx(a[i] - mean).epsilon(1e-4));
      CHECK(c[i] == doctest::Approx(b[i]).epsilon(1e-3));
    }
  }
}
