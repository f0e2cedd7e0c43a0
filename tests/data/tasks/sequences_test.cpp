#include <doctest/doctest.h>
#include <weft/data/tasks/registry.h>
#include <weft/lib/base/error.h>

#include <algorithm>

using namespace weft;

TEST_CASE("letters are copied, reversed and sorted") {
  for (const std::string name : {"copy", "reverse", "sort"}) {
    const auto task = make_task(name, {.min_length = 3, .max_length = 5});
    CHECK(task->sizes().longest_input == 6);
    CHECK(task->sizes().longest_target == 6);
    const Batch batch = task->batch(0, 300);
    std::vector<int> lengths(6, 0);
    for (int64_t row = 0; row < 300; ++row) {
      std::string wanted = task->input_text(batch, row);
      REQUIRE(wanted.ends_with(" </s>"));
      wanted.resize(wanted.size() - 5);
      std::erase(wanted, ' ');
      if (name == "reverse") std::ranges::reverse(wanted);
      if (name == "sort") std::ranges::sort(wanted);
      std::string found = task->target_text(batch, row);
      std::erase(found, ' ');
      CHECK(found == wanted);
      ++lengths.at(found.size());
    }
    CHECK(lengths[2] == 0);
    for (size_t length = 3; length <= 5; ++length) CHECK(std::abs(lengths[length] - 100) < 35);
  }
}

TEST_CASE("all letters come up as often") {
  const auto task = make_task("copy", {.min_length = 16});
  CHECK(task->sizes().longest_input == 17);
  const Batch batch = task->batch(0, 1000);
  std::vector<int> met(26, 0);
  for (const int64_t id : batch.inputs.values<int64_t>())
    if (id >= WordTokenizer::first_word) ++met.at(static_cast<size_t>(id - WordTokenizer::first_word));
  for (const int count : met) CHECK(std::abs(count - 16000 / 26) < 130);
}

TEST_CASE("longer sequences than by default can be asked for, none cannot") {
  CHECK(make_task("sort", {.min_length = 40})->sizes().longest_input == 41);
  CHECK(make_task("sort", {.min_length = 30, .max_length = 40})->batch(0, 4).inputs.dim(1) >= 31);
  CHECK_THROWS_AS(make_task("sort", {.max_length = 100001}), ValueError);
  CHECK_THROWS_AS(make_task("sort", {.min_length = -3, .max_length = 4}), ValueError);
}
