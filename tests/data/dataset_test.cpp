#include <doctest/doctest.h>
#include <weft/data/dataset.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <numeric>
#include <set>

using namespace weft;

namespace {

/// Tokens whose id is their place, so that a batch says where it was read.
TokenRange places(int64_t n, int64_t skip = 0) {
  std::vector<int64_t> ids(static_cast<size_t>(n + skip));
  std::iota(ids.begin(), ids.end(), -skip);
  for (int64_t i = 0; i < skip; ++i) ids[static_cast<size_t>(i)] = 0;
  return {.tokens = std::make_shared<MemoryTokens>(ids), .begin = skip, .size = n, .name = "places"};
}

}  // namespace

TEST_CASE("targets are the inputs shifted by one, also in a range that begins later") {
  const TokenDataset data(places(100, 13), 8, 1);
  const Batch batch = data.batch(3, 5);
  CHECK(batch.inputs.shape() == Shape{5, 8});
  CHECK(batch.targets.shape() == Shape{5, 8});
  CHECK(batch.inputs.dtype() == int64);
  for (int64_t b = 0; b < 5; ++b)
    for (int64_t t = 0; t < 8; ++t) {
      CHECK(batch.inputs.at({b, t}) == static_cast<double>(data.window_begin(3 + b) + t));
      CHECK(batch.targets.at({b, t}) == static_cast<double>(data.window_begin(3 + b) + t + 1));
    }
}

TEST_CASE("every epoch uses each window of its grid once, and fits for every length") {
  for (int64_t n = 6; n < 60; ++n) {
    const TokenDataset data(places(n), 5, 7);
    const int64_t epoch_size = data.samples_per_epoch();
    CHECK(epoch_size == std::max<int64_t>(1, n / 5 - 1));
    for (int64_t epoch = 0; epoch < 12; ++epoch) {
      std::vector<int64_t> begins;
      for (int64_t i = 0; i < epoch_size; ++i) begins.push_back(data.window_begin(epoch * epoch_size + i));
      std::sort(begins.begin(), begins.end());
      CHECK(begins.front() >= 0);
      CHECK(begins.front() < 5);
      CHECK(begins.back() + 5 + 1 <= n);
      for (size_t i = 1; i < begins.size(); ++i) CHECK(begins[i] - begins[i - 1] == 5);
    }
  }
}

TEST_CASE("over the epochs all offsets come up, and orders and seeds differ") {
  const TokenDataset data(places(1000), 8, 3), other(places(1000), 8, 4);
  const int64_t size = data.samples_per_epoch();
  std::set<int64_t> offsets;
  int same_order = 0, same_seed = 0;
  for (int64_t epoch = 0; epoch < 100; ++epoch) offsets.insert(data.window_begin(epoch * size) % 8);
  for (int64_t i = 0; i < size; ++i) {
    same_order += data.window_begin(i) / 8 == data.window_begin(size + i) / 8;
    same_seed += data.window_begin(i) == other.window_begin(i);
  }
  CHECK(offsets.size() == 8);
  CHECK(same_order < 10);
  CHECK(same_seed < 10);
  // The shortest text: one window, at each offset that leaves room for it.
  const TokenDataset shortest(places(11), 8, 3);
  offsets.clear();
  for (int64_t sample = 0; sample < 100; ++sample) offsets.insert(shortest.window_begin(sample));
  CHECK(offsets == std::set<int64_t>{0, 1, 2});
}

TEST_CASE("a batch over the end of an epoch is the samples one by one") {
  const TokenDataset data(places(50), 8, 5);
  const int64_t size = data.samples_per_epoch();
  const Batch batch = data.batch(size - 2, 3 * size);
  for (int64_t b = 0; b < 3 * size; ++b)
    CHECK(batch.inputs.at({b, 0}) == static_cast<double>(data.window_begin(size - 2 + b)));
}

TEST_CASE("too short a text is refused with both numbers") {
  CHECK_THROWS_WITH_AS(
      TokenDataset(places(8), 8, 1),
      "places: too short for one window: block_size 8 needs at least 9 tokens, found 8; give more text "
      "or a smaller block_size",
      ValueError);
  CHECK_NOTHROW(TokenDataset(places(9), 8, 1).batch(0, 4));
  CHECK_THROWS_AS(TokenDataset(places(0), 1, 1), ValueError);
  CHECK_THROWS_AS(TokenDataset(places(9), 0, 1), ValueError);
  CHECK_THROWS_AS(EvalDataset(places(8), 8), ValueError);
  CHECK_THROWS_AS(EvalDataset(places(9), 8, -1), ValueError);
  CHECK_THROWS_AS(TokenDataset(places(9), 8, 1).batch(-1, 2), ValueError);
  CHECK_THROWS_AS(TokenDataset(places(9), 8, 1).batch(0, 0), ValueError);
  CHECK_THROWS_AS(TokenDataset(places(9), 8, 1).batch(INT64_MAX, 1), ValueError);
  CHECK_NOTHROW(TokenDataset(places(9), 8, 1).batch(INT64_MAX - 1, 1));
}

TEST_CASE("a text of a million million tokens") {
  /// Ids by place, in no memory.
  struct Endless : Tokens {
    int64_t size() const override { return int64_t{1} << 40; }
    void fetch(int64_t begin, std::span<int64_t> out) const override {
      std::iota(out.begin(), out.end(), begin);
    }
  };
  const TokenSplit split = split_tokens(std::make_shared<Endless>());
  CHECK(split.train.size == 989560464998);
  CHECK(split.validation.begin + split.validation.size == int64_t{1} << 40);

  const TokenDataset data(split.train, 64, 1);
  const int64_t epoch = data.samples_per_epoch();
  CHECK(epoch == split.train.size / 64 - 1);
  bool beyond_32_bits = false;
  for (const int64_t sample : {int64_t{0}, epoch - 1, epoch, int64_t{1} << 61}) {
    const int64_t begin = data.window_begin(sample);
    CHECK(begin >= 0);
    CHECK(begin + 64 < split.train.size);
    beyond_32_bits = beyond_32_bits || begin > int64_t{1} << 32;
    const Batch batch = data.batch(sample, 1);
    CHECK(batch.inputs.values<int64_t>()[0] == begin);
    CHECK(batch.targets.values<int64_t>()[63] == begin + 64);
  }
  CHECK(beyond_32_bits);

  const EvalDataset all(split.train, 64), some(split.validation, 64, 1000);
  CHECK(all.window_begin(all.size() - 1) == (all.size() - 1) * 64);
  CHECK(some.window_begin(999) > some.window_begin(998));
  CHECK(some.window_begin(999) + 64 < split.validation.size);
  CHECK(some.batch(999, 5).inputs.values<int64_t>()[0] == split.validation.begin + some.window_begin(999));
  const ScoredWindows scored(split.validation, 64, 16);
  CHECK(scored[scored.size() - 1].begin + scored[scored.size() - 1].length == scored.scored());
}

TEST_CASE("evaluation windows are spread evenly and never overlap") {
  const EvalDataset all(places(101), 8);
  CHECK(all.size() == 12);
  for (int64_t i = 0; i < 12; ++i) CHECK(all.window_begin(i) == 8 * i);
  const EvalDataset some(places(101), 8, 5);
  CHECK(some.size() == 5);
  std::vector<int64_t> begins;
  for (int64_t i = 0; i < 5; ++i) begins.push_back(some.window_begin(i));
  CHECK(begins == std::vector<int64_t>{0, 16, 32, 56, 72});
  CHECK(EvalDataset(places(101), 8, 1000).size() == 12);
  CHECK(EvalDataset(places(9), 8).size() == 1);
  const Batch last = all.batch(10, 100);
  CHECK(last.inputs.shape() == Shape{2, 8});
  CHECK(last.targets.at({1, 7}) == 96);
  CHECK_THROWS_AS(all.batch(12, 1), ValueError);
}

TEST_CASE("scored windows score each token but the first once, with the context that the stride promises") {
  for (int64_t n = 2; n < 40; ++n)
    for (int64_t stride = 1; stride <= 8; ++stride) {
      const ScoredWindows windows(places(n), 8, stride);
      std::vector<int> scored(static_cast<size_t>(n), 0);
      for (int64_t i = 0; i < windows.size(); ++i) {
        const auto [begin, length, first] = windows[i];
        CHECK((length == 8 || i + 1 == windows.size()));
        CHECK(first < length);
        for (int64_t t = first; t < length; ++t) {
          ++scored[static_cast<size_t>(begin + t + 1)];
          if (begin + t + 1 > 8) CHECK(t >= 8 - stride);
        }
      }
      CHECK(scored[0] == 0);
      CHECK(std::count(scored.begin() + 1, scored.end(), 1) == n - 1);
      CHECK(windows.scored() == n - 1);
    }
}

TEST_CASE("a batch of scored windows ignores context and padding") {
  const ScoredWindows windows(places(14), 8, 3);
  REQUIRE(windows.size() == 3);
  const Batch batch = windows.batch(1, 9);
  const auto row = [](const Array& array, int64_t r) {
    const auto all = array.values<int64_t>().subspan(static_cast<size_t>(8 * r), 8);
    return std::vector<int64_t>(all.begin(), all.end());
  };
  constexpr int64_t no = Batch::ignored;
  CHECK(row(batch.inputs, 0) == std::vector<int64_t>{3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(row(batch.targets, 0) == std::vector<int64_t>{no, no, no, no, no, 9, 10, 11});
  CHECK(row(batch.inputs, 1) == std::vector<int64_t>{6, 7, 8, 9, 10, 11, 12, 0});
  CHECK(row(batch.targets, 1) == std::vector<int64_t>{no, no, no, no, no, 12, 13, no});
  // A short text is one short window.
  CHECK(ScoredWindows(places(3), 8).batch(0, 4).inputs.shape() == Shape{1, 2});
  CHECK_THROWS_AS(ScoredWindows(places(1), 8), ValueError);
  CHECK_THROWS_WITH_AS(ScoredWindows(places(9), 8, 9),
                       "ScoredWindows: stride must be from 1 to block_size 8, not 9", ValueError);
  CHECK_THROWS_AS(ScoredWindows(places(9), 8, -1), ValueError);
}
