#include <doctest/doctest.h>
#include <weft/lib/base/error.h>
#include <weft/lib/processes/processes.h>
#include <weft/lib/processes/shards.h>

#include <numeric>

using namespace weft;

TEST_CASE("shards: parts are contiguous, cover all and differ by one at most") {
  for (const int64_t count : {0, 1, 7, 8, 100})
    for (const int64_t parts : {1, 2, 3, 8}) {
      int64_t at = 0;
      for (int64_t part = 0; part < parts; ++part) {
        const NumberRange range = part_of(count, parts, part);
        CHECK(range.begin == at);
        CHECK(range.end - range.begin >= count / parts);
        CHECK(range.end - range.begin <= (count + parts - 1) / parts);
        at = range.end;
      }
      CHECK(at == count);
    }
}

TEST_CASE("shards: a process has the fewest subtrees of the tree") {
  CHECK(subtrees_of({0, 8}) == std::vector<Subtree>{{0, 8}});
  CHECK(subtrees_of({2, 5}) == std::vector<Subtree>{{2, 2}, {4, 1}});
  CHECK(subtrees_of({5, 8}) == std::vector<Subtree>{{5, 1}, {6, 2}});
  CHECK(subtrees_of({1, 7}) == std::vector<Subtree>{{1, 1}, {2, 2}, {4, 2}, {6, 1}});
  CHECK(are_siblings({2, 1}, {3, 1}));
  CHECK_FALSE(are_siblings({1, 1}, {2, 1}));  // neighbours that the tree does not add
  CHECK_FALSE(are_siblings({0, 2}, {2, 1}));
  CHECK(most_partial_sums({0, 1}) == 1);
  CHECK(most_partial_sums({0, 8}) == 4);
  CHECK(most_partial_sums({1, 7}) == 4);
}

TEST_CASE("shards: the pieces of an update are its samples, each once, whatever the processes") {
  for (const int64_t shards : {1, 2, 8})
    for (const std::vector<int64_t>& batches : {std::vector<int64_t>{12}, {5, 4, 7}, {1, 1}, {3}}) {
      const int64_t samples = std::accumulate(batches.begin(), batches.end(), int64_t{0});
      for (int64_t processes = 1; processes <= shards; ++processes) {
        int64_t offset = 0;
        for (int64_t process = 0; process < processes; ++process) {
          const std::vector<UpdatePiece> pieces = pieces_of(100, batches,
                                                            {.batches = std::ssize(batches),
                                                             .shards = shards,
                                                             .mine = part_of(shards, processes, process)});
          for (const UpdatePiece& piece : pieces) {
            CHECK(piece.offset == offset);
            CHECK(piece.first == 100 + offset);
            CHECK(piece.count > 0);
            offset += piece.count;
            const NumberRange shard = part_of(samples, shards, piece.shard);
            CHECK(piece.offset >= shard.begin);
            CHECK(offset <= shard.end);
            CHECK(piece.ends_shard == (offset == shard.end));
            CHECK(piece.is_last == (&piece == &pieces.back()));
          }
        }
        CHECK(offset == samples);
      }
    }
}

TEST_CASE("shards: what cannot be is refused") {
  for (const int64_t shards : {0, 3, -2, 12}) CHECK_THROWS_AS(check_shards(shards), ValueError);
  CHECK_NOTHROW(check_shards(1));
  CHECK_NOTHROW(check_shards(64));
}

TEST_CASE("processes: a program that was started alone is a group of one") {
  Processes& alone = Processes::joined();
  CHECK(alone.size() == 1);
  CHECK(alone.is_first());
  CHECK(alone.gather("a") == std::vector<std::string>{"a"});
  CHECK(alone.from_first("b") == "b");
  CHECK(alone.shards(8) == NumberRange{0, 8});
  alone.finish_sums();
  CHECK_NOTHROW(alone.check());
  CHECK(alone.report_failure("c"));
  CHECK(alone.leave());
}
