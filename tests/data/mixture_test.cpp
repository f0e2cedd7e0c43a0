#include <doctest/doctest.h>
#include <weft/data/mixture.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <limits>

using namespace weft;

namespace {

/// Sample n is the row (part, n, ...), `width` wide.
class Numbers : public Dataset {
 public:
  Numbers(int64_t part, int64_t width) : part_(part), width_(width) {}
  int64_t samples_per_epoch() const override { return 10; }
  Batch batch(int64_t first, int64_t count) const override {
    std::vector<int64_t> ids;
    for (int64_t n = first; n < first + count; ++n)
      for (int64_t i = 0; i < width_; ++i) ids.push_back(i == 0 ? part_ : n);
    const Array rows = Array::from(ids, {count, width_});
    return {rows, rows};
  }

 private:
  int64_t part_, width_;
};

MixtureDataset mixture(const std::vector<double>& weights, uint64_t seed = 1) {
  std::vector<MixtureDataset::Part> parts;
  for (const double weight : weights)
    parts.push_back({std::make_shared<Numbers>(std::ssize(parts), 2 + std::ssize(parts)), weight});
  return {std::move(parts), seed, 9};
}

}  // namespace

TEST_CASE("each part comes in its share, and goes through its own samples in order of rounds") {
  const MixtureDataset data = mixture({6, 2});
  CHECK(data.in_round() == std::vector<int64_t>{3, 1});
  CHECK(data.samples_per_epoch() == 20);
  std::vector<std::vector<int64_t>> met(2);
  bool moved = false;
  for (int64_t n = 0; n < 400; ++n) {
    const auto [part, sample] = data.choice(n);
    met[part].push_back(sample);
    moved = moved || (part == 1 && n % 4 != data.in_round()[0]);
  }
  CHECK(moved);
  for (auto& part : met) {
    std::ranges::sort(part);
    for (int64_t i = 0; i < std::ssize(part); ++i) CHECK(part[static_cast<size_t>(i)] == i);
  }
  CHECK(met[0].size() == 300);
  bool same = true;
  for (int64_t n = 0; n < 40; ++n) same = same && mixture({6, 2}, 2).choice(n) == data.choice(n);
  CHECK_FALSE(same);
}

TEST_CASE("weights that are not whole are shares of a thousand, and every part has one") {
  CHECK(mixture({0.5, 0.25, 0.25}).in_round() == std::vector<int64_t>{500, 250, 250});
  CHECK(mixture({1.0 / 3, 1.0 / 3, 1.0 / 3}).in_round() == std::vector<int64_t>{334, 333, 333});
  CHECK(mixture({1e6, 1}).in_round() == std::vector<int64_t>{999, 1});
}

TEST_CASE("a batch is the samples one under the other, padded") {
  const MixtureDataset data = mixture({1, 1});
  const Batch batch = data.batch(3, 5);
  REQUIRE(batch.inputs.shape() == Shape{5, 3});
  const auto in = batch.inputs.values<int64_t>(), out = batch.targets.values<int64_t>();
  for (size_t row = 0; row < 5; ++row) {
    const auto [part, sample] = data.choice(3 + static_cast<int64_t>(row));
    CHECK(in[3 * row] == static_cast<int64_t>(part));
    CHECK(in[3 * row + 1] == sample);
    CHECK(in[3 * row + 2] == (part == 0 ? 9 : sample));
    CHECK(out[3 * row + 2] == (part == 0 ? Batch::ignored : sample));
    CHECK(batch.lengths[row] == static_cast<int64_t>(2 + part));
  }
}

TEST_CASE("batches with documents and without are stacked") {
  const Array row = Array::from(std::vector<int64_t>{1, 2}, {1, 2});
  const Batch both = stacked({{row, row, {}, {{0, 1}}}, {row, row}});
  CHECK(both.documents == std::vector<std::vector<int64_t>>{{0, 1}, {0}});
  CHECK(both.lengths.empty());
  CHECK_THROWS_AS(stacked({{row, row}, {row.reshape({2}), row}}), ValueError);
  CHECK_THROWS_AS(stacked({}), ValueError);
}

TEST_CASE("what is no mixture is refused") {
  const auto part = std::make_shared<Numbers>(0, 2);
  CHECK_THROWS_AS(MixtureDataset({}, 1), ValueError);
  CHECK_THROWS_AS(MixtureDataset({{nullptr, 1}}, 1), ValueError);
  for (const double weight :
       {0.0, -1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
    CHECK_THROWS_AS(MixtureDataset({{part, weight}, {part, 1}}, 1), ValueError);
  CHECK_THROWS_AS(mixture({1}).batch(-1, 1), ValueError);
}
