#include <doctest/doctest.h>
#include <weft/data/loader.h>
#include <weft/lib/base/error.h>

#include <atomic>
#include <numeric>

using namespace weft;

namespace {

std::shared_ptr<const TokenDataset> dataset() {
  std::vector<int64_t> ids(500);
  std::iota(ids.begin(), ids.end(), 0);
  return std::make_shared<TokenDataset>(all_tokens(std::make_shared<MemoryTokens>(ids)), 8, 42);
}

/// Batches end at the multiples of 4 and 10, whatever is wanted.
struct Uneven : Dataset {
  int64_t samples_per_epoch() const override { return 10; }
  int64_t next_batch(int64_t first, int64_t) const override {
    return std::min(4 - first % 4, 10 - first % 10);
  }
  Batch batch(int64_t first, int64_t count) const override {
    return {Array::full({count, 1}, static_cast<double>(first), int64), Array::zeros({count, 1}, int64)};
  }
};

/// Fails from sample 6 on.
struct Failing : Dataset {
  int64_t samples_per_epoch() const override { return 10; }
  Batch batch(int64_t first, int64_t count) const override {
    if (first >= 6) fail<FileError>("a.tokens: gone");
    return {Array::full({count, 1}, static_cast<double>(first), int64), Array::zeros({count, 1}, int64)};
  }
};

}  // namespace

TEST_CASE("loader: PyTorch's name is the same") { CHECK(std::is_same_v<DataLoader, Loader>); }

TEST_CASE("batches come in the order of the samples") {
  const auto data = dataset();
  Loader loader(data, 7);
  for (int64_t step = 0; step < 40; ++step) {
    CHECK(loader.consumed() == 7 * step);
    CHECK(loader.epoch() == 7 * step / data->samples_per_epoch());
    const Batch wanted = data->batch(7 * step, 7), found = loader.next();
    CHECK(found.inputs.identical(wanted.inputs));
    CHECK(found.targets.identical(wanted.targets));
  }
}

TEST_CASE("a position saved and loaded gives the same batches, at any cut") {
  const auto data = dataset();
  for (int64_t cut = 0; cut < 20; ++cut) {
    Loader first(data, 5);
    for (int64_t i = 0; i < cut; ++i) first.next();
    Loader second(data, 5, 3);
    second.load_state_dict(first.state_dict());
    CHECK(second.consumed() == 5 * cut);
    for (int i = 0; i < 3; ++i) CHECK(second.next().inputs.identical(first.next().inputs));
  }
}

TEST_CASE("a dataset may say how many samples a batch has; the position counts samples") {
  const auto data = std::make_shared<Uneven>();
  Loader loader(data, 3);
  std::vector<int64_t> sizes;
  while (loader.consumed() < 20) sizes.push_back(loader.next().inputs.dim(0));
  CHECK(sizes == std::vector<int64_t>{4, 4, 2, 2, 4, 4});
  CHECK(loader.epoch() == 2);
  loader.seek(9);
  CHECK(loader.next().inputs.dim(0) == 1);
  Loader resumed(data, 3, 6);
  CHECK(resumed.next().inputs.dim(0) == 2);
  CHECK(resumed.consumed() == 8);
}

TEST_CASE("a seek goes anywhere, however far, and while a batch is being made") {
  const auto data = dataset();
  Loader loader(data, 5);
  for (uint64_t i = 0; i < 500; ++i) {
    const auto to = static_cast<int64_t>((i * 7919) % 1000000007 * (i % 3 == 0 ? 1000003 : 1));
    loader.seek(to);
    if (i % 2 == 0) CHECK(loader.next().inputs.identical(data->batch(to, 5).inputs));
  }
  loader.seek(int64_t{1} << 60);
  CHECK(loader.next().inputs.identical(data->batch(int64_t{1} << 60, 5).inputs));
}

TEST_CASE("what the dataset throws comes out of next, and the position stays") {
  Loader loader(std::make_shared<Failing>(), 3);
  CHECK(loader.next().inputs.at({0, 0}) == 0);
  CHECK(loader.next().inputs.at({0, 0}) == 3);
  for (int i = 0; i < 3; ++i) CHECK_THROWS_WITH_AS(loader.next(), "a.tokens: gone", FileError);
  CHECK(loader.consumed() == 6);
  loader.seek(1);
  CHECK(loader.next().inputs.at({0, 0}) == 1);
}

TEST_CASE("a loader shuts down at once, used or not") {
  const auto data = dataset();
  for (int i = 0; i < 200; ++i) {
    Loader loader(data, 4, i);
    if (i % 2 == 1) loader.next();
  }
  for (int i = 0; i < 20; ++i) Loader unused(std::make_shared<Failing>(), 3, 6);
}

TEST_CASE("a bad position or state is refused and changes nothing") {
  const auto data = dataset();
  CHECK_THROWS_AS(Loader(nullptr, 1), ValueError);
  CHECK_THROWS_AS(Loader(data, 0), ValueError);
  CHECK_THROWS_AS(Loader(data, 1, -1), ValueError);
  Loader loader(data, 5, 10);
  CHECK_THROWS_AS(loader.seek(-5), ValueError);
  StateDict state;
  CHECK_THROWS_AS(loader.load_state_dict(state), StateError);
  state.set("consumed", -1);
  CHECK_THROWS_AS(loader.load_state_dict(state), StateError);
  state.set("consumed", 20);
  state.set("shuffle", 1);
  CHECK_THROWS_WITH_AS(loader.load_state_dict(state), "loader: unexpected entries: shuffle", StateError);
  CHECK(loader.consumed() == 10);
  CHECK(loader.next().inputs.identical(data->batch(10, 5).inputs));
}

TEST_CASE("a loader of some shards hands out their samples alone, and goes on behind whole updates") {
  const auto data = std::make_shared<Uneven>();
  for (const NumberRange& mine : {NumberRange{0, 4}, NumberRange{1, 3}, NumberRange{3, 4}}) {
    const UpdateShare share{.batches = 2, .shards = 4, .mine = mine};
    Loader loader(data, 4, share);
    int64_t begin = 0;
    for (int64_t update = 0; update < 6; ++update) {
      const int64_t first = data->next_batch(begin, 4), second = data->next_batch(begin + first, 4);
      const std::vector<UpdatePiece> wanted = pieces_of(begin, {first, second}, share);
      CHECK(loader.consumed() == begin);
      CHECK(loader.update() == wanted);
      for (const UpdatePiece& piece : wanted) {
        const Batch batch = loader.next();
        CHECK(batch.inputs.dim(0) == piece.count);
        CHECK(batch.inputs.at({0, 0}) == static_cast<double>(piece.first));
        if (!piece.is_last)
          CHECK_THROWS_WITH_AS(loader.update(), doctest::Contains("while an update is handed out"),
                               StateError);
      }
      begin += first + second;
    }
    Loader resumed(data, 4, share, begin);
    CHECK(resumed.update() == loader.update());
  }
}

TEST_CASE("a loader passes an update of which nothing is computed here") {
  const auto data = dataset();
  Loader none(data, 2, {.shards = 4, .mine = {0, 1}});  // shard 0 of two samples is empty
  CHECK(none.update().empty());
  CHECK(none.consumed() == 2);
  CHECK(none.update().empty());
  CHECK(none.consumed() == 4);
}
