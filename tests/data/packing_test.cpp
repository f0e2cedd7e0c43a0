#include <doctest/doctest.h>
#include <weft/data/loader.h>
#include <weft/data/packing.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <map>
#include <set>

using namespace weft;

namespace {

struct Made {
  TokenRange tokens;
  TextDocuments documents;
};

/// Documents of these lengths; token n is n + 1.
Made made(const std::vector<int64_t>& lengths) {
  std::vector<int64_t> rows, ids;
  for (const int64_t length : lengths) {
    rows.insert(rows.end(), {std::ssize(ids), 0, 1});
    for (int64_t i = 0; i < length; ++i) ids.push_back(std::ssize(ids) + 1);
  }
  const auto size = std::ssize(ids);
  return {all_tokens(std::make_shared<MemoryTokens>(ids)),
          TextDocuments(std::make_shared<MemoryTokens>(rows), size)};
}

std::vector<int64_t> many_lengths() {
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < 3000; ++i) lengths.push_back(i % 97 == 0 ? 150 : 1 + (i * 37) % 41);
  return lengths;
}

}  // namespace

TEST_CASE("whole documents share blocks, long ones are cut, each target is there once") {
  const std::vector<int64_t> lengths = many_lengths();
  const auto [tokens, documents] = made(lengths);
  constexpr int64_t T = 64;
  const PackedBlocks blocks(tokens, documents, T);
  std::map<int64_t, int64_t> document_of;
  for (int64_t i = 0, at = 0; i < documents.size(); at += lengths[static_cast<size_t>(i)], ++i)
    for (int64_t n = 0; n < lengths[static_cast<size_t>(i)]; ++n) document_of[at + n + 1] = i;
  std::set<int64_t> targets;
  for (int64_t block = 0; block < blocks.size(); ++block) {
    const Batch batch = blocks.batch(std::vector<int64_t>{block});
    REQUIRE(batch.inputs.shape() == Shape{1, T});
    REQUIRE(batch.documents.size() == 1);
    const auto in = batch.inputs.values<int64_t>(), out = batch.targets.values<int64_t>();
    CHECK(batch.documents[0].front() == 0);
    for (size_t at = 0; at < static_cast<size_t>(T); ++at) {
      if (out[at] == Batch::ignored) {
        CHECK(in[at] == 0);
        continue;
      }
      CHECK(out[at] == in[at] + 1);
      CHECK(document_of.at(out[at]) == document_of.at(in[at]));
      CHECK(targets.insert(out[at]).second);
      const bool begins = std::ranges::count(batch.documents[0], static_cast<int64_t>(at)) > 0;
      CHECK(begins == (at == 0 || in[at] != in[at - 1] + 1));
    }
    for (const auto& piece : blocks[block]) {
      const int64_t whole = lengths[static_cast<size_t>(document_of.at(piece.begin + 1))] - 1;
      CHECK(piece.length == (whole >= T && piece.length == T ? T : whole % T));
    }
  }
  int64_t wanted = 0;
  for (const int64_t length : lengths) wanted += length - 1;
  CHECK(std::ssize(targets) == wanted);
  CHECK(blocks.scored() == wanted);
  CHECK(blocks.filled() > 0.97);
}

TEST_CASE("a range that begins and ends within documents has their parts") {
  auto [tokens, documents] = made({10, 10, 10});
  tokens.begin = 5;
  tokens.size = 20;
  const PackedBlocks blocks(tokens, documents, 100);
  REQUIRE(blocks.size() == 1);
  CHECK(blocks[0] == std::vector<PackedBlocks::Piece>{{5, 9}, {0, 4}, {15, 4}});
}

TEST_CASE("documents of one token give nothing, and there must be others") {
  const auto [tokens, documents] = made({1, 3, 1, 1});
  const PackedBlocks blocks(tokens, documents, 8);
  CHECK(blocks.size() == 1);
  CHECK(blocks.scored() == 2);
  const auto [few, bare] = made({1, 1});
  CHECK_THROWS_AS(PackedBlocks(few, bare, 8), ValueError);
  CHECK_THROWS_AS(PackedBlocks(tokens, documents, 0), ValueError);
  CHECK_THROWS_AS(blocks[1], ValueError);
}

TEST_CASE("each epoch uses each block once, in an order of its own, and a loader may begin anywhere") {
  const auto [tokens, documents] = made(many_lengths());
  const PackedBlocks blocks(tokens, documents, 64);
  const auto dataset = std::make_shared<PackedDataset>(blocks, 7);
  const int64_t n = dataset->samples_per_epoch();
  std::vector<std::vector<int64_t>> epochs(2);
  for (int64_t sample = 0; sample < 2 * n; ++sample)
    epochs[static_cast<size_t>(sample / n)].push_back(dataset->block_of(sample));
  CHECK(epochs[0] != epochs[1]);
  for (auto& epoch : epochs) {
    std::ranges::sort(epoch);
    for (int64_t i = 0; i < n; ++i) CHECK(epoch[static_cast<size_t>(i)] == i);
  }
  Loader whole(dataset, 5);
  for (int i = 0; i < 3; ++i) whole.next();
  Loader sought(dataset, 5, 15);
  const Batch a = whole.next(), b = sought.next();
  CHECK(std::ranges::equal(a.inputs.values<int64_t>(), b.inputs.values<int64_t>()));
  CHECK(a.documents == b.documents);
  CHECK(PackedDataset(blocks, 8).block_of(0) != dataset->block_of(0));
}
