#include <doctest/doctest.h>
#include <weft/data/tasks/registry.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <map>
#include <set>

using namespace weft;

namespace {

/// The distances asked for in a row, checked to have one answer each, which the text gives.
std::vector<int64_t> distances_of(const TaskDataset& task, const Batch& batch, int64_t row) {
  const auto T = static_cast<size_t>(batch.inputs.dim(1));
  const std::span<const int64_t> ids =
      batch.inputs.values<int64_t>().subspan(static_cast<size_t>(row) * T, T);
  const std::span<const int64_t> targets =
      batch.targets.values<int64_t>().subspan(static_cast<size_t>(row) * T, T);
  const int64_t mark = task.tokenizer()->encode("?")[0];
  std::vector<int64_t> distances;
  std::set<int64_t> asked;
  for (size_t place = 0; place < T; ++place) {
    if (targets[place] == Batch::ignored) continue;
    CHECK(asked.insert(ids[place]).second);
    CHECK(ids[place - 1] == mark);
    if (place + 1 < T) CHECK(ids[place + 1] == targets[place]);
    const auto item = std::ranges::find(ids, ids[place]) - ids.begin();
    REQUIRE(static_cast<size_t>(item) + 1 < place);
    CHECK(ids[static_cast<size_t>(item) + 1] == targets[place]);
    CHECK(std::ranges::count(ids, ids[place]) == 2);
    distances.push_back(static_cast<int64_t>(place) - (item + 1));
  }
  return distances;
}

}  // namespace

TEST_CASE("an item lies as far back as was asked for") {
  for (const int64_t distance : {2, 8, 33, 512}) {
    const auto task = make_task("recall", {.min_length = distance, .max_length = distance});
    const Batch batch = task->batch(0, 40);
    CHECK(batch.inputs.dim(1) == distance + 16);
    CHECK(task->sizes().longest_input == distance + 16);
    for (int64_t row = 0; row < 40; ++row) {
      const std::vector<int64_t> distances = distances_of(*task, batch, row);
      REQUIRE_FALSE(distances.empty());
      for (const int64_t one : distances) CHECK(one == distance);
    }
  }
}

TEST_CASE("distances are drawn from the whole range, and items stand in many places") {
  const auto task = make_task("recall", {.min_length = 8, .max_length = 64});
  CHECK(task->kind() == TaskKind::language);
  const Batch batch = task->batch(0, 600);
  std::map<int64_t, int> octaves;
  std::set<int64_t> places;
  size_t asked = 0;
  for (int64_t row = 0; row < 600; ++row) {
    for (const int64_t distance : distances_of(*task, batch, row)) {
      CHECK(distance >= 8);
      CHECK(distance <= 64);
      ++octaves[distance < 16 ? 8 : distance < 32 ? 16 : 32];
      ++asked;
    }
    for (int64_t t = 0; t < 80; ++t)
      if (batch.targets.at({row, t}) != Batch::ignored) places.insert(t);
  }
  CHECK(asked > 1500);
  for (const auto& [octave, count] : octaves) CHECK(count > static_cast<int>(asked) / 8);
  CHECK(places.size() == 80 - 9);
}

TEST_CASE("values are drawn evenly") {
  const auto task = make_task("recall", {.max_length = 32});
  const Batch batch = task->batch(0, 2000);
  std::map<int64_t, int> met;
  int all = 0;
  for (const int64_t target : batch.targets.values<int64_t>())
    if (target != Batch::ignored) ++met[target], ++all;
  CHECK(met.size() == 16);
  for (const auto& [value, count] : met) CHECK(std::abs(count - all / 16) < all / 80);
}

TEST_CASE("distances that cannot be are refused") {
  CHECK_THROWS_AS(make_task("recall", {.min_length = 1, .max_length = 8}), ValueError);
  CHECK_THROWS_AS(make_task("recall", {.max_length = 100001}), ValueError);
  CHECK(make_task("recall", {.min_length = 600})->sizes().longest_input == 616);
}
