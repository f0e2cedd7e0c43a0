#include <doctest/doctest.h>
#include <weft/lib/array/random.h>
#include <weft/lib/kernels/movement.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <thread>

#include "lib/naive.h"

using namespace weft;

namespace {

/// Largest distance between the distribution of the values and `cdf`, times the square root of their number:
/// above 1.95 with probability 0.001 (Kolmogorov).
template <class Cdf>
double kolmogorov(std::vector<double> values, Cdf cdf) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double largest = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double p = cdf(values[i]), rank = static_cast<double>(i);
    largest = std::max({largest, p - rank / n, (rank + 1) / n - p});
  }
  return largest * std::sqrt(n);
}

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

std::vector<double> doubles(const Array& x) {
  const Array wide = x.to(float64);
  return {wide.values<double>().begin(), wide.values<double>().end()};
}

double mean_of(const std::vector<double>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

double variance_of(const std::vector<double>& x) {
  const double mean = mean_of(x);
  double sum = 0;
  for (const double value : x) sum += (value - mean) * (value - mean);
  return sum / static_cast<double>(x.size());
}

double correlation(const std::vector<double>& x, size_t lag) {
  const double mean = mean_of(x);
  double sum = 0;
  for (size_t i = lag; i < x.size(); ++i) sum += (x[i] - mean) * (x[i - lag] - mean);
  return sum / static_cast<double>(x.size()) / variance_of(x);
}

}  // namespace

TEST_CASE("philox: the known answers of the Random123 distribution") {
  using Words = std::array<uint32_t, 4>;
  CHECK(philox({0, 0}, 0, 0) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const uint64_t ones = ~uint64_t{0};
  CHECK(philox({0xffffffff, 0xffffffff}, ones, ones) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0xa4093822, 0x299f31d0}, 0x0370734413198a2e, 0x85a308d3243f6a88) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("streams: names, calls, seeds and steps all give keys of their own, and stay what they are") {
  std::set<uint64_t> ids;
  for (const char* name : {"", "a", "b", "ab", "ba", "blocks.0.dropout", "blocks.1.dropout"}) {
    for (uint64_t call = 0; call < 50; ++call) ids.insert(stream_id(name, call));
  }
  CHECK(ids.size() == 7 * 50);
  std::set<std::pair<uint32_t, uint32_t>> keys;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    for (uint64_t stream = 0; stream < 8; ++stream) {
      for (uint64_t step = 0; step < 8; ++step) {
        const RandomKey key = random_key(seed, stream, step);
        keys.insert({key.low, key.high});
      }
    }
  }
  CHECK(keys.size() == 512);
  // Checkpoints rely on these: a change here is a new version of the numerics.
  CHECK(stream_id("dropout", 1) == 0x6051be32dcb10f2);
  const RandomKey key = random_key(1337, stream_id("dropout"), 7);
  CHECK(key.low == 0x7974824b);
  CHECK(key.high == 0x3c987248);
}

TEST_CASE("uniform_at and integer_at take their 64 bits from the place that the header says") {
  const RandomKey key{1, 2};
  for (uint64_t draw = 0; draw < 20; ++draw) {
    const auto words = philox(key, 5, draw / 2);
    const uint64_t bits = words[2 * (draw % 2)] | uint64_t{words[2 * (draw % 2) + 1]} << 32;
    CHECK(uniform_at(key, 5, draw) == static_cast<double>(bits >> 11) * 0x1p-53);
    CHECK(integer_at(key, 5, draw, 1) == 0);
    CHECK(integer_at(key, 5, draw, uint64_t{1} << 63) == bits >> 1);
  }
  std::vector<int> counts(7);
  for (uint64_t draw = 0; draw < 70000; ++draw) ++counts[integer_at(key, 0, draw, 7)];
  for (const int count : counts) CHECK(std::abs(count - 10000) < 400);
  CHECK_THROWS_AS(integer_at(key, 0, 0, 0), ValueError);
}

TEST_CASE("random_uniform: draws by place, and evenly spread") {
  const RandomKey key = random_key(1, stream_id("test"));
  const Array x = random_uniform({3, 33333}, -2, 6, key, float64);
  for (int64_t p = 0; p < x.size(); p += 101) {
    REQUIRE(x.data<double>()[p] == -2 + 8 * uniform_at(key, 0, static_cast<uint64_t>(p)));
  }
  const std::vector<double> values = doubles(x);
  CHECK(std::abs(mean_of(values) - 2) < 0.03);
  CHECK(std::abs(variance_of(values) - 64.0 / 12) < 0.05);
  CHECK(kolmogorov(values, [](double v) { return (v + 2) / 8; }) < 1.95);
  for (const size_t lag : {1u, 2u, 3u, 4u, 64u}) CHECK(std::abs(correlation(values, lag)) < 0.012);
  // A longer array begins with the shorter one, and float is the rounded double.
  CHECK(random_uniform({7}, -2, 6, key, float64).identical(kernels::slice(x.reshape({-1}), 0, 0, 7)));
  CHECK(random_uniform({3, 33333}, -2, 6, key).identical(x.to(float32)));
}

TEST_CASE("random_uniform never reaches its upper end") {
  // One float lies between 1 and 1 + 2^-22: half of the draws would round up to the end.
  const double high = 1 + 0x1p-22;
  const Array narrow = random_uniform({1000}, 1, high, {1, 1}),
              point = random_uniform({10}, 0.1, 0.1, {1, 1});
  for (const float value : narrow.values<float>()) REQUIRE(value < high);
  for (const float value : point.values<float>()) REQUIRE(value == 0.1f);
}

TEST_CASE("random_normal: Box-Muller of the draws, and distributed as it should be") {
  const RandomKey key = random_key(2, stream_id("test"));
  const Array x = random_normal({99999}, 0, 1, key, float64);
  for (uint64_t p = 0; p + 1 < 99999; p += 202) {
    const double radius = std::sqrt(-2 * std::log(1 - uniform_at(key, 0, p)));
    const double angle = 2 * M_PI * uniform_at(key, 0, p + 1);
    REQUIRE(x.data<double>()[p] == doctest::Approx(radius * std::cos(angle)).epsilon(1e-12));
    REQUIRE(x.data<double>()[p + 1] == doctest::Approx(radius * std::sin(angle)).epsilon(1e-12));
  }
  const std::vector<double> values = doubles(x);
  CHECK(std::abs(mean_of(values)) < 0.012);
  CHECK(std::abs(variance_of(values) - 1) < 0.018);
  CHECK(kolmogorov(values, normal_cdf) < 1.95);
  for (const size_t lag : {1u, 2u, 3u, 4u, 64u}) CHECK(std::abs(correlation(values, lag)) < 0.012);
  // A moved and scaled one, and one of float32, are the same draws.
  const std::vector<double> moved = doubles(random_normal({99999}, 5, 0.02, key));
  for (size_t i = 0; i < moved.size(); i += 97)
    REQUIRE(moved[i] == doctest::Approx(5 + 0.02 * values[i]).epsilon(1e-6));
  for (const int64_t count : {0, 1, 2, 3, 31, 33}) {
    CHECK(random_normal({count}, 0, 1, key, float64).identical(kernels::slice(x, 0, 0, count)));
  }
}

TEST_CASE("random arrays: the number of threads changes nothing") {
  naive::same_for_threads([] { return random_normal({123, 457}, 0, 1, {3, 4}); });
  naive::same_for_threads([] { return random_uniform({123, 457}, 0, 1, {3, 4}); });
}

TEST_CASE("random arrays: what makes no distribution is refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH_AS(random_uniform({2}, 2, 1, {}),
                       "random_uniform: low 2 and high 1 are not the ends of a finite interval", ValueError);
  CHECK_THROWS_AS(random_uniform({2}, 0, nan, {}), ValueError);
  CHECK_THROWS_AS(random_uniform({2}, 0, inf, {}), ValueError);
  CHECK_THROWS_AS(random_uniform({2}, -1e308, 1e308, {}), ValueError);
  CHECK_THROWS_AS(random_normal({2}, 0, -1, {}), ValueError);
  CHECK_THROWS_AS(random_normal({2}, nan, 1, {}), ValueError);
  CHECK_THROWS_AS(random_normal({2}, 0, inf, {}), ValueError);
  CHECK_THROWS_AS(random_normal({2}, 0, 1, {}, int64), TypeError);
  CHECK_THROWS_AS(random_uniform({2}, 0, 1, {}, boolean), TypeError);
  CHECK(random_normal({2}, 3, 0, {}).identical(Array::full({2}, 3)));
}

TEST_CASE("permuted is one to one for every count") {
  for (uint64_t count = 0; count <= 70; ++count) {
    std::set<uint64_t> images;
    for (uint64_t i = 0; i < count; ++i) images.insert(permuted({9, count == 3 ? 1u : 2u}, i, count));
    REQUIRE(images.size() == count);
    if (count > 0) REQUIRE(*images.rbegin() == count - 1);
    CHECK_THROWS_AS(permuted({9, 2}, count, count), ValueError);
  }
  const uint64_t count = 100003;
  std::vector<bool> seen(count);
  for (uint64_t i = 0; i < count; ++i) seen[permuted({1, 2}, i, count)] = true;
  CHECK(std::count(seen.begin(), seen.end(), true) == static_cast<int64_t>(count));
  for (const uint64_t huge : {(uint64_t{1} << 62) + 1, ~uint64_t{0}}) {
    CHECK(permuted({1, 2}, huge - 1, huge) < huge);
    CHECK(permuted({1, 2}, 0, huge) != permuted({1, 2}, 1, huge));
  }
}

TEST_CASE("permuted: over many keys every element goes everywhere about equally often") {
  for (const uint64_t count : {2u, 3u, 5u, 16u, 17u, 40u}) {
    const int keys = 400 * static_cast<int>(count);
    std::vector<int> landed(count * count);
    for (int k = 0; k < keys; ++k) {
      const RandomKey key = random_key(static_cast<uint64_t>(k), 5);
      for (uint64_t i = 0; i < count; ++i) ++landed[i * count + permuted(key, i, count)];
    }
    // 400 are expected in each cell: six standard deviations are 120.
    for (const int number : landed) CHECK(std::abs(number - 400) < 120);
  }
  // Each of the 24 orders of four elements: 1000 are expected, with a standard deviation of 31.
  std::map<std::array<uint64_t, 4>, int> orders;
  for (uint64_t k = 0; k < 24000; ++k) {
    const RandomKey key = random_key(k, 6);
    ++orders[{permuted(key, 0, 4), permuted(key, 1, 4), permuted(key, 2, 4), permuted(key, 3, 4)}];
  }
  CHECK(orders.size() == 24);
  for (const auto& [order, number] : orders) CHECK(std::abs(number - 1000) < 150);
  // Neighbours are torn apart: the mean distance between their images is a third of the count.
  double distance = 0;
  for (uint64_t i = 0; i + 1 < 10000; ++i) {
    distance += std::abs(static_cast<double>(permuted({7, 8}, i, 10000)) -
                         static_cast<double>(permuted({7, 8}, i + 1, 10000)));
  }
  CHECK(std::abs(distance / 9999 - 10000 / 3.0) < 100);
}

TEST_CASE("RandomScope: calls of one stream differ within a scope, and a new scope repeats them") {
  const auto draw = [](const char* name) {
    const RandomScope::Draw d = RandomScope::next("test", name);
    return std::array<uint64_t, 3>{d.key.low, d.key.high, d.first_sample};
  };
  std::set<std::array<uint64_t, 3>> all;
  std::vector<std::array<uint64_t, 3>> first;
  for (const RandomScope::Options& options :
       std::vector<RandomScope::Options>{{.seed = 1, .step = 2},
                                         {.seed = 1, .step = 3},
                                         {.seed = 2, .step = 2},
                                         {.seed = 1, .step = 2, .first_sample = 4}}) {
    const RandomScope scope(options);
    for (const char* name : {"a", "b", "a", "a", "b"}) {
      first.push_back(draw(name));
      CHECK(first.back()[2] == options.first_sample);
      all.insert(first.back());
    }
  }
  CHECK(all.size() == 20);
  // The samples of the last scope come later in the same streams: the keys are those of the first.
  CHECK(first[15][0] == first[0][0]);
  CHECK(first[19][1] == first[4][1]);
  {
    const RandomScope scope({.seed = 1, .step = 2});
    CHECK(draw("a") == first[0]);
    {
      const RandomScope inner({.seed = 1, .step = 2});
      CHECK(draw("a") == first[0]);
    }
    CHECK(draw("b") == first[1]);
    CHECK(draw("a") == first[2]);
    const RandomKey key = random_key(1, stream_id("a", 2), 2);
    CHECK(draw("a") == std::array<uint64_t, 3>{key.low, key.high, 0});
  }
}

TEST_CASE(
    "RandomScope: outside of one, and on another thread, drawing is an error that names the operation") {
  CHECK_THROWS_WITH_AS(
      RandomScope::next("dropout", "blocks.0"),
      "dropout: needs random numbers for \"blocks.0\" and there is no RandomScope on this thread; open one "
      "around the step: RandomScope random({.seed = 1337, .step = k})",
      StateError);
  const RandomScope scope({});
  bool refused = false;
  std::thread([&] {
    try {
      RandomScope::next("dropout", "blocks.0");
    } catch (const StateError&) {
      refused = true;
    }
  }).join();
  CHECK(refused);
  RandomScope::next("dropout", "blocks.0");
}
