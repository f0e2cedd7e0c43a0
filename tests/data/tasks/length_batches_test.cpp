#include <doctest/doctest.h>
#include <weft/data/loader.h>
#include <weft/data/tasks/length_batches.h>
#include <weft/data/tasks/token_task.h>

#include <algorithm>
#include <set>
#include <thread>

#include "checks.h"

using namespace weft;
using test::refuses;

namespace {

/// Samples whose lengths are drawn as those of sentences are: most are short, a few are long.
class Sentences : public TokenTask {
 public:
  explicit Sentences(int64_t samples)
      : TokenTask("sentences", {.seed = 3, .samples = samples},
                  with_special(std::make_shared<ByteTokenizer>(), {"<pad>", "</s>"})) {}
  TaskKind kind() const override { return TaskKind::pairs; }
  TaskSizes sizes() const override { return {.longest_input = 400, .longest_target = 400}; }
  std::vector<std::string> scores() const override { return {"exact_match"}; }
  Sample sample(uint64_t index) const override {
    Draws draws(random_key(9, stream_id("sentences")), index);
    const double u = draws.uniform();
    const int64_t input = 4 + static_cast<int64_t>(120 * u * u * u) + draws.between(0, 8);
    const auto filled = [](int64_t size) { return std::vector<int64_t>(static_cast<size_t>(size), 65); };
    return {filled(input), filled(std::max<int64_t>(1, input + draws.between(-3, 3)))};
  }
};

std::shared_ptr<const TokenTask> sentences(int64_t samples) { return std::make_shared<Sentences>(samples); }

std::vector<int64_t> sizes_of(const LengthBatches& batches, int64_t from, int64_t to) {
  std::vector<int64_t> sizes;
  for (int64_t at = from; at < to; at += sizes.back()) sizes.push_back(batches.next_batch(at, 1 << 20));
  return sizes;
}

}  // namespace

TEST_CASE("batches by length: each sample once an epoch, in another order in each") {
  for (const int64_t tokens : {int64_t{0}, int64_t{600}}) {
    const LengthBatches batches(sentences(1000), 16, tokens, 7, 128);
    CHECK(batches.samples_per_epoch() == 1000);
    std::vector<std::vector<uint64_t>> epochs;
    for (int64_t epoch = 0; epoch < 3; ++epoch) {
      epochs.push_back(batches.indices(1000 * epoch, 1000));
      std::vector<uint64_t> sorted = epochs.back();
      std::ranges::sort(sorted);
      for (uint64_t i = 0; i < 1000; ++i) REQUIRE(sorted[i] == i);
    }
    CHECK(epochs[0] != epochs[1]);
    CHECK(epochs[1] != epochs[2]);
    // No batch lies in two epochs, and one that is asked for may.
    int64_t at = 0;
    for (const int64_t size : sizes_of(batches, 0, 1000)) at += size;
    CHECK(at == 1000);
    const std::vector<uint64_t> both = batches.indices(990, 20);
    CHECK(std::ranges::equal(std::span(both).first(10), std::span(epochs[0]).last(10)));
    CHECK(std::ranges::equal(std::span(both).last(10), std::span(epochs[1]).first(10)));
  }
}

TEST_CASE("batches by length: a function of (seed, number), from wherever one begins") {
  const auto task = sentences(700);
  const LengthBatches one(task, 8, 0, 5, 64), other(task, 8, 0, 6, 64);
  CHECK(one.indices(0, 700) != other.indices(0, 700));
  for (int64_t at = 0; at < 1500; at += 37) {  // in the middle of pools and of batches
    const LengthBatches fresh(task, 8, 0, 5, 64);
    CHECK(fresh.indices(at, 30) == one.indices(at, 30));
    CHECK(fresh.next_batch(at, 8) == one.next_batch(at, 8));
    CHECK(fresh.batch(at, 5).inputs.identical(one.batch(at, 5).inputs));
  }
  CHECK(one.next_batch(0, 99) == 8);  // what is wanted by others is none of its business
  CHECK(one.next_batch(3, 8) == 5);
  CHECK(one.next_batch(0, 3) == 3);  // a part of it
}

TEST_CASE("batches by length: a loader stopped anywhere goes on with the same batches") {
  const auto batches = std::make_shared<LengthBatches>(sentences(300), 8, 500, 5, 64);
  Loader whole(batches, 8);
  std::vector<int64_t> positions;
  std::vector<Batch> all;
  while (whole.consumed() < 700) {
    positions.push_back(whole.consumed());
    all.push_back(whole.next());
  }
  for (size_t cut = 0; cut < all.size(); ++cut) {
    Loader resumed(batches, 8, positions[cut]);
    const Batch found = resumed.next();
    CHECK(found.inputs.identical(all[cut].inputs));
    CHECK(found.targets.identical(all[cut].targets));
    CHECK(found.lengths == all[cut].lengths);
    if (cut + 1 < all.size()) CHECK(resumed.consumed() == positions[cut + 1]);
  }
  // In the middle of a batch what is left of it comes, and then the next one.
  const auto second = static_cast<int64_t>(all[0].lengths.size());
  REQUIRE(second > 1);
  Loader middle(batches, 8, 1);
  CHECK(middle.next().inputs.dim(0) == second - 1);
  CHECK(middle.next().inputs.identical(all[1].inputs));
}

TEST_CASE("batches by length: batch_tokens is kept, and little is padding") {
  constexpr int64_t samples = 20000;
  const auto task = sentences(samples);
  for (const int64_t tokens : {int64_t{60}, int64_t{1000}, int64_t{8192}}) {
    const LengthBatches batches(task, 8, tokens, 5);
    int64_t at = 0, rows = 1;
    for (const int64_t size : sizes_of(batches, 0, samples)) {
      const Batch batch = batches.batch(at, size);
      const int64_t all = size * (batch.inputs.dim(1) + batch.targets.dim(1));
      CHECK_MESSAGE((all <= tokens || size == 1), all);
      for (const int64_t side : {batch.inputs.size(), batch.targets.size()})
        rows = std::max(rows, (side + 139) / 140);
      at += size;
    }
    CHECK(batches.rows_of_longest(140, 140) == rows);
  }
  const LengthBatches by_rows(task, 32, 0, 5), by_tokens(task, 32, 4096, 5), in_order(task, 32, 0, 5, 1);
  CHECK(by_rows.padding() < 0.05);
  CHECK(by_tokens.padding() < 0.05);
  CHECK(in_order.padding() > 0.3);  // batches as they are drawn
  // As it says.
  double all = 0, real = 0;
  for (int64_t at = 0; at < samples; at += 32) {
    const Batch batch = by_rows.batch(at, by_rows.next_batch(at, 1 << 20));
    all += static_cast<double>(batch.inputs.size() + batch.targets.size());
    for (const int64_t length : batch.lengths) real += static_cast<double>(length);
    real += static_cast<double>(batch.targets.size() -
                                std::ranges::count(batch.targets.values<int64_t>(), Batch::ignored));
  }
  CHECK(by_rows.padding() == doctest::Approx(1 - real / all).epsilon(1e-9));
}

TEST_CASE("batches by length: any number of threads sees the same") {
  const auto batches = std::make_shared<LengthBatches>(sentences(500), 8, 0, 5, 64);
  const std::vector<uint64_t> wanted = LengthBatches(sentences(500), 8, 0, 5, 64).indices(0, 1000);
  std::vector<std::thread> threads;
  std::vector<int> right(4);
  for (size_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int64_t i = 0; i < 200; ++i) {
        const auto at = static_cast<int64_t>((static_cast<uint64_t>(i) * 7919 + t * 131) % 990);
        right[t] += batches->indices(at, 1)[0] == wanted[static_cast<size_t>(at)];
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const int count : right) CHECK(count == 200);
}

TEST_CASE("batches by length: refuses what makes no batch") {
  refuses<ValueError>([] { LengthBatches(sentences(5), 0, 0, 1); }, {"at least one row"});
  refuses<ValueError>([] { LengthBatches(sentences(5), 1, -1, 1); }, {"-1"});
  refuses<ValueError>([] { LengthBatches(sentences(5), 1, 0, 1, 0); }, {"a pool"});
  const LengthBatches one(sentences(5), 8, 0, 1);
  CHECK(one.next_batch(0, 8) == 5);  // fewer samples than a batch has rows
  CHECK_THROWS_AS(one.batch(-1, 2), ValueError);
}
