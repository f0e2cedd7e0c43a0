#include <doctest/doctest.h>
#include <weft/autograd/ops/ctc.h>
#include <weft/autograd/ops/normalization.h>
#include <weft/layers/models/decoding/ctc.h>
#include <weft/lib/array/random.h>

#include <cmath>
#include <set>

namespace weft::test {

namespace {

struct DrawnFrames {
  Array log_p;
  CtcFrames frames;
};

DrawnFrames drawn(int64_t T, int64_t V, int64_t blank, uint64_t seed) {
  const NoGrad no_grad;
  DrawnFrames made{log_softmax(Tensor(random_normal({T, V}, 0, 2, random_key(seed, 1), float32))).value(),
                   {}};
  made.frames = {.log_p = made.log_p.values<float>(), .classes = V, .blank = blank};
  return made;
}

/// -ctc_loss of the ids.
double exactly(const DrawnFrames& from, const std::vector<int64_t>& ids) {
  std::vector<int64_t> labels = ids;
  labels.push_back(-100);
  const int64_t T = from.log_p.dim(0), V = from.log_p.dim(1);
  return -ctc_loss(Tensor(from.log_p.reshape({1, T, V})), Array::from(labels, {1, std::ssize(labels)}), {},
                   {.blank = from.frames.blank})
              .rows.data<double>()[0];
}

CtcFrames said(std::vector<float>& store, const std::vector<int64_t>& path, int64_t classes, int64_t blank) {
  store.assign(path.size() * static_cast<size_t>(classes), -9);
  for (size_t t = 0; t < path.size(); ++t)
    store[t * static_cast<size_t>(classes) + static_cast<size_t>(path[t])] = -0.1F;
  return {.log_p = store, .classes = classes, .blank = blank};
}

}  // namespace

TEST_CASE("ctc decoding: greedily, runs are one and blanks none") {
  std::vector<float> store;
  const CtcHypothesis found = ctc_greedy(said(store, {0, 1, 1, 0, 1, 2, 2, 0}, 3, 0));
  CHECK(found.ids == std::vector<int64_t>{1, 1, 2});
  CHECK(found.score == doctest::Approx(-0.8));
  CHECK(ctc_greedy(said(store, {2, 2, 2}, 3, 2)).ids.empty());
  CHECK(ctc_greedy({.log_p = {}, .classes = 3, .blank = 0}).ids.empty());
}

TEST_CASE("ctc decoding: with beams for all, every text has its exact probability, and the best is found") {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    const DrawnFrames from = drawn(5, 3, static_cast<int64_t>(seed % 3), seed);
    const auto all = ctc_beam_search(from.frames, 1000);
    double sum = 0;
    std::set<std::vector<int64_t>> met;
    for (size_t i = 0; i < all.size(); ++i) {
      CHECK(met.insert(all[i].ids).second);
      if (i > 0) CHECK(all[i].score <= all[i - 1].score);
      if (all[i].score == -INFINITY) continue;
      CHECK(all[i].score == doctest::Approx(exactly(from, all[i].ids)).epsilon(1e-6));
      sum += std::exp(all[i].score);
    }
    CHECK(sum == doctest::Approx(1).epsilon(1e-5));
    // A few beams find as much as there is along them, and never more than there is.
    const auto few = ctc_beam_search(from.frames, 3);
    REQUIRE(few.size() == 3);
    CHECK(few[0].score <= exactly(from, few[0].ids) + 1e-5);
    CHECK(few[0].score >= ctc_greedy(from.frames).score - 1e-5);
  }
}

TEST_CASE("ctc decoding: a search finds what single paths hide") {
  // Two frames: blank 0.6 each. Greedy says nothing (0.36); `1` has 0.4 0.4 + 2 0.4 0.6 = 0.64.
  const std::vector<float> log_p{std::log(0.6F), std::log(0.4F), std::log(0.6F), std::log(0.4F)};
  const CtcFrames frames{.log_p = log_p, .classes = 2, .blank = 0};
  CHECK(ctc_greedy(frames).ids.empty());
  const auto found = ctc_beam_search(frames, 4);
  CHECK(found[0].ids == std::vector<int64_t>{1});
  CHECK(std::exp(found[0].score) == doctest::Approx(0.64));
  CHECK_THROWS_WITH(ctc_beam_search(frames, 0), "ctc_beam_search: needs at least one beam, not 0");
}

TEST_CASE("ctc decoding: pieces of a long row say what the whole says") {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const DrawnFrames from = drawn(200, 3, 0, seed);
    const auto pieces = ctc_pieces(from.frames, 20);
    CHECK(pieces.size() > 4);
    std::vector<int64_t> ids;
    int64_t end = 0;
    for (const CtcSpan& piece : pieces) {
      CHECK(piece.begin == end);
      end = piece.end;
      if (end < 200) CHECK(piece.end - piece.begin >= 20);
      const auto part =
          ctc_greedy({.log_p = from.frames.log_p.subspan(static_cast<size_t>(3 * piece.begin),
                                                         static_cast<size_t>(3 * (end - piece.begin))),
                      .classes = 3,
                      .blank = 0})
              .ids;
      ids.insert(ids.end(), part.begin(), part.end());
    }
    CHECK(end == 200);
    CHECK(ids == ctc_greedy(from.frames).ids);
  }
  CHECK(ctc_pieces({.log_p = {}, .classes = 3, .blank = 0}, 5).empty());
  CHECK_THROWS_WITH(ctc_pieces({}, 0), "ctc_pieces: pieces have at least one frame, not 0");
}

TEST_CASE("ctc decoding: where ids are said") {
  std::vector<float> store;
  const CtcFrames frames = said(store, {0, 1, 1, 0, 0, 1, 2, 0}, 3, 0);
  CHECK(ctc_align(frames, std::vector<int64_t>{1, 1, 2}) == std::vector<CtcSpan>{{1, 3}, {5, 6}, {6, 7}});
  CHECK(ctc_align(frames, std::vector<int64_t>{}).empty());
  CHECK(ctc_align(said(store, {1, 1}, 3, 0), std::vector<int64_t>{1, 1}).empty());  // needs three frames
  CHECK(ctc_align(said(store, {1, 1}, 3, 0), std::vector<int64_t>{1, 2}) ==
        std::vector<CtcSpan>{{0, 1}, {1, 2}});
}

}  // namespace weft::test
