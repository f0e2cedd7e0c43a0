#include <doctest/doctest.h>
#include <weft/layers/models/decoding/sampling.h>
#include <weft/lib/files/hdf5_file.h>

#include <cmath>
#include <limits>
#include <map>

#include "checks.h"

namespace weft::test {

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
const RandomKey key = random_key(1, 2);

std::map<int64_t, int> counts(const std::vector<float>& logits, const SamplingOptions& options,
                              uint64_t draws, const std::vector<int64_t>& read = {}) {
  std::map<int64_t, int> found;
  for (uint64_t n = 0; n < draws; ++n) ++found[sample_token(logits, options, key, 0, n, read)];
  return found;
}

}  // namespace

TEST_CASE("sampling: transformers' probabilities, whatever is cut") {
  const StateDict cases = read_hdf5(WEFT_SOURCE_DIR "/tests/reference/generation.h5").dict("sampling");
  CHECK(cases.size() == 9);
  for (const std::string& name : cases.keys()) {
    CAPTURE(name);
    const StateDict &one = cases.dict(name), &given = one.dict("options");
    const SamplingOptions options{.temperature = given.number("temperature"),
                                  .top_k = given.integer("top_k"),
                                  .top_p = given.number("top_p"),
                                  .min_p = given.number("min_p"),
                                  .repetition_penalty = given.number("repetition_penalty")};
    const std::span<const float> logits = one.array("logits").values<float>();
    const std::span<const int64_t> read = one.array("read").values<int64_t>();
    const std::vector<double> found = sampling_probabilities(logits, options, read);
    CHECK(difference(Array::from(found, {static_cast<int64_t>(found.size())}), one.array("probabilities"),
                     1e-6) == "");
    for (uint64_t n = 0; n < 200; ++n)
      CHECK(found[static_cast<size_t>(sample_token(logits, options, key, 0, n, read))] > 0);
  }
}

TEST_CASE("sampling: as often as the probabilities say, and the same draw for the same numbers") {
  const std::vector<float> logits = {std::log(0.5F), std::log(0.3F), std::log(0.2F), -inf};
  const SamplingOptions plain{.temperature = 1};
  const auto found = counts(logits, plain, 20'000);
  CHECK(found.size() == 3);
  CHECK(found.at(0) == doctest::Approx(10'000).epsilon(0.03));
  CHECK(found.at(1) == doctest::Approx(6'000).epsilon(0.04));
  CHECK(found.at(2) == doctest::Approx(4'000).epsilon(0.05));
  CHECK(counts(logits, plain, 100) == counts(logits, plain, 100));
  CHECK(sampling_probabilities(logits, plain)[3] == 0);
  // Cuts that cut nothing off change no draw.
  for (uint64_t n = 0; n < 100; ++n) {
    const int64_t drawn = sample_token(logits, plain, key, 0, n);
    CHECK(sample_token(logits, {.temperature = 1, .min_p = 1e-9}, key, 0, n) == drawn);
    CHECK(sample_token(logits, {.temperature = 1, .repetition_penalty = 2}, key, 0, n) == drawn);
  }
}

TEST_CASE("sampling: cuts at their edges") {
  const std::vector<float> logits = {1, 3, 3, 2};
  // Of equal logits the lower id is the likelier.
  CHECK(counts(logits, {.temperature = 0}, 5) == std::map<int64_t, int>{{1, 5}});
  CHECK(counts(logits, {.top_k = 1}, 50) == std::map<int64_t, int>{{1, 50}});
  CHECK(counts(logits, {.top_p = 1e-9}, 50) == std::map<int64_t, int>{{1, 50}});
  // As likely as the likeliest is enough for min_p = 1.
  CHECK(sampling_probabilities(logits, {.min_p = 1}) == std::vector<double>{0, 0.5, 0.5, 0});
  CHECK(counts({0}, {.top_k = 9, .top_p = 0.5, .min_p = 1}, 5) == std::map<int64_t, int>{{0, 5}});
  CHECK(counts({-inf, -3, -inf}, {.temperature = 1, .min_p = 0.5}, 5) == std::map<int64_t, int>{{1, 5}});
}

TEST_CASE("sampling: the penalty holds for the likeliest token too, and counts no token twice") {
  const std::vector<float> logits = {2.0F, 1.5F, -1.0F};
  const SamplingOptions greedy{.temperature = 0, .repetition_penalty = 1.5};
  CHECK(sample_token(logits, greedy, key, 0, 0, std::vector<int64_t>{0}) == 1);
  CHECK(sample_token(logits, greedy, key, 0, 0, std::vector<int64_t>{0, 1, 0, 0}) == 0);
  const SamplingOptions plain{.temperature = 1, .repetition_penalty = 2};
  const std::vector<double> found = sampling_probabilities(logits, plain, std::vector<int64_t>{2, 0, 2});
  const std::vector<double> expected =
      sampling_probabilities(std::vector<float>{1.0F, 1.5F, -2.0F}, {.temperature = 1});
  CHECK(found == expected);
}

TEST_CASE("sampling: what it does not take") {
  const std::vector<float> logits = {1, 2};
  const auto refused = [&](const SamplingOptions& options, const std::vector<std::string>& parts) {
    refuses<ValueError>([&] { sample_token(logits, options, key, 0, 0); }, parts);
  };
  refused({.temperature = -1}, {"temperature -1"});
  refused({.temperature = inf}, {"temperature inf"});
  refused({.top_k = -1}, {"top_k -1"});
  refused({.top_p = 0}, {"top_p 0"});
  refused({.top_p = 1.1}, {"top_p 1.1"});
  refused({.min_p = -0.1}, {"min_p -0.1"});
  refused({.min_p = 1.5}, {"min_p 1.5"});
  refused({.min_p = NAN}, {"min_p nan"});
  refused({.repetition_penalty = 0}, {"repetition_penalty 0"});
  refused({.repetition_penalty = -2}, {"repetition_penalty -2"});
  refused({.repetition_penalty = inf}, {"repetition_penalty inf"});
  for (const int64_t id : {-1, 2})
    refuses<ValueError>(
        [&] { sample_token(logits, {.repetition_penalty = 2}, key, 0, 0, std::vector<int64_t>{id}); },
        {"sampling", str(id), "2 logits"});
  for (const std::vector<float>& bad : {std::vector<float>{1, NAN}, {1, inf}, {-inf, -inf}, {}})
    refuses<NumericError>([&] { sample_token(bad, {}, key, 0, 0); }, {"sampling"});
}

}  // namespace weft::test
