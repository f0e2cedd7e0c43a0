// Rates as jiwer computes them: tests/reference/error_rates.py.
#include <doctest/doctest.h>
#include <weft/data/scores/scores.h>
#include <weft/lib/array/state_dict.h>
#include <weft/lib/base/error.h>
#include <weft/lib/files/hdf5_file.h>

#include <sstream>

using namespace weft;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::string line;
  for (const char c : text + "\n") {
    if (c != '\n') {
      line += c;
      continue;
    }
    lines.push_back(line);
    line.clear();
  }
  return lines;
}

}  // namespace

TEST_CASE("error rates: equal jiwer's") {
  const StateDict file = read_hdf5(std::string(WEFT_SOURCE_DIR) + "/tests/reference/error_rates.h5");
  int64_t cases = 0;
  for (const auto& [name, entry] : file.entries()) {
    CAPTURE(name);
    const StateDict one = file.dict(name);
    const auto texts = lines_of(one.text("texts")), references = lines_of(one.text("references"));
    CHECK(word_error_rate(texts, references) == doctest::Approx(one.number("wer")).epsilon(1e-12));
    CHECK(character_error_rate(texts, references) == doctest::Approx(one.number("cer")).epsilon(1e-12));
    ++cases;
  }
  CHECK(cases == 6);
}

TEST_CASE("error rates: nothing at all, and lists of other lengths") {
  const std::vector<std::string> none, empty{""}, words{"a b"};
  CHECK(word_error_rate(none, none) == 0);
  CHECK(word_error_rate(words, empty) == 2);
  CHECK(character_error_rate(words, empty) == 3);
  CHECK_THROWS_AS(word_error_rate(words, none), ValueError);
}
