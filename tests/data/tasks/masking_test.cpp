#include <doctest/doctest.h>
#include <weft/data/tasks/masking.h>
#include <weft/data/tasks/registry.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace weft;
using Ids = std::vector<int64_t>;

namespace {

const MaskingOptions words = {.mask_id = 4, .first_word = 10, .vocab_size = 110};

Ids ids_of(int64_t count, int64_t first = 10) {
  Ids ids(static_cast<size_t>(count));
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

}  // namespace

TEST_CASE("15 of 100 words are to be found; of 100 of them 80 are masked, 10 changed and 10 as they were") {
  int masked = 0, changed = 0, same = 0;
  std::vector<int> places(100, 0);
  constexpr int count = 2000;
  for (uint64_t sample = 0; sample < count; ++sample) {
    Draws draws(random_key(1, 2), sample);
    const Ids before = ids_of(100);
    Ids ids = before;
    const Ids targets = mask_tokens(ids, words, draws);
    int chosen = 0;
    for (size_t place = 0; place < 100; ++place) {
      if (targets[place] == Batch::ignored) {
        CHECK(ids[place] == before[place]);
        continue;
      }
      CHECK(targets[place] == before[place]);
      CHECK((ids[place] == 4 || (ids[place] >= 10 && ids[place] < 110)));
      ++chosen;
      ++places[place];
      ++(ids[place] == 4 ? masked : ids[place] == before[place] ? same : changed);
    }
    CHECK(chosen == 15);
  }
  constexpr double all = 15.0 * count;
  CHECK(std::abs(masked / all - 0.8) < 0.01);
  CHECK(std::abs(changed / all - 0.099) < 0.008);  // one in a hundred draws the word that was there
  CHECK(std::abs(same / all - 0.101) < 0.008);
  for (const int met : places) CHECK(std::abs(met - 300) < 80);
}

TEST_CASE("special tokens are never masked, and one word always is") {
  Draws draws(random_key(1, 2), 0);
  for (int i = 0; i < 200; ++i) {
    Ids ids = {5, 50, 6, 0};
    CHECK(mask_tokens(ids, words, draws) == Ids{Batch::ignored, 50, Batch::ignored, Batch::ignored});
    CHECK(ids[0] == 5);
    CHECK(ids[2] == 6);
  }
  Ids none = {5, 6}, empty;
  CHECK(mask_tokens(none, words, draws) == Ids{Batch::ignored, Batch::ignored});
  CHECK(mask_tokens(empty, words, draws).empty());
  Ids all = ids_of(10);
  CHECK(mask_tokens(all, {.mask_id = 4, .first_word = 10, .vocab_size = 110, .share = 1.0}, draws) ==
        ids_of(10));
}

TEST_CASE("masking without words, mask or share is refused") {
  Draws draws(random_key(1, 2), 0);
  Ids ids = ids_of(5);
  CHECK_THROWS_AS(mask_tokens(ids, {.mask_id = 4}, draws), ValueError);
  CHECK_THROWS_AS(mask_tokens(ids, {.mask_id = -1, .vocab_size = 9}, draws), ValueError);
  CHECK_THROWS_AS(mask_tokens(ids, {.vocab_size = 9, .share = 0}, draws), ValueError);
  CHECK_THROWS_AS(mask_tokens(ids, {.vocab_size = 9, .share = 1.5}, draws), ValueError);
  CHECK(ids == ids_of(5));
}

TEST_CASE("any dataset of ids can be masked, by seed and sample") {
  const auto windows =
      std::make_shared<TokenDataset>(all_tokens(std::make_shared<MemoryTokens>(ids_of(500, 0))), 40, 1);
  const MaskedDataset data(windows, {.mask_id = 500, .vocab_size = 500}, 7);
  CHECK(data.samples_per_epoch() == windows->samples_per_epoch());
  const Batch plain = windows->batch(3, 6), batch = data.batch(3, 6);
  int hidden = 0;
  for (int64_t b = 0; b < 6; ++b)
    for (int64_t t = 0; t < 40; ++t) {
      const double target = batch.targets.at({b, t});
      CHECK((target == Batch::ignored || target == plain.inputs.at({b, t})));
      if (target == Batch::ignored) CHECK(batch.inputs.at({b, t}) == plain.inputs.at({b, t}));
      hidden += target != Batch::ignored;
    }
  CHECK(hidden == 6 * 6);
  CHECK(data.batch(5, 1).inputs.at({0, 7}) == batch.inputs.at({2, 7}));
  const int64_t epoch = data.samples_per_epoch();
  CHECK_FALSE(data.batch(epoch, 1).targets.identical(data.batch(0, 1).targets));
  CHECK_FALSE(MaskedDataset(windows, {.mask_id = 500, .vocab_size = 500}, 8)
                  .batch(3, 6)
                  .targets.identical(batch.targets));
  CHECK_THROWS_AS(MaskedDataset(windows, {}, 7), ValueError);
}

TEST_CASE("word dropout: each word with its probability, others in each epoch, and targets stay") {
  const auto windows =
      std::make_shared<TokenDataset>(all_tokens(std::make_shared<MemoryTokens>(ids_of(500, 0))), 40, 1);
  const WordDropoutDataset data(windows, 500, 0.2, {3, 4}, 7);
  int64_t hidden = 0, all = 0;
  for (int64_t n = 0; n < 2 * data.samples_per_epoch(); ++n) {
    const Batch plain = windows->batch(n, 1), batch = data.batch(n, 1);
    CHECK(batch.targets.identical(plain.targets));
    for (int64_t t = 0; t < 40; ++t) {
      const double was = plain.inputs.at({0, t}), now = batch.inputs.at({0, t});
      CHECK((now == was || now == 500));
      if (was == 3 || was == 4) CHECK(now == was);
      hidden += now == 500;
      ++all;
    }
  }
  CHECK(std::abs(static_cast<double>(hidden) / static_cast<double>(all) - 0.2) < 0.04);
  CHECK(data.batch(5, 1).inputs.at({0, 7}) == data.batch(3, 6).inputs.at({2, 7}));
  const WordDropoutDataset padded(make_task("copy"), 500, 0.9, {}, 7);
  const Batch batch = padded.batch(0, 50);
  for (int64_t b = 0; b < 50; ++b)
    for (int64_t t = batch.lengths[static_cast<size_t>(b)]; t < batch.inputs.dim(1); ++t)
      CHECK(batch.inputs.at({b, t}) == 0);
  CHECK_THROWS_AS(WordDropoutDataset(windows, 500, 1.0, {}, 7), ValueError);
  CHECK_THROWS_AS(WordDropoutDataset(windows, -1, 0.1, {}, 7), ValueError);
}

TEST_CASE("padding is not masked") {
  const auto copies = make_task("copy");
  const MaskedDataset data(copies, {.mask_id = 4, .first_word = 39, .vocab_size = 65}, 7);
  const Batch batch = data.batch(0, 50);
  const int64_t T = batch.inputs.dim(1);
  for (int64_t b = 0; b < 50; ++b)
    for (int64_t t = batch.lengths[static_cast<size_t>(b)]; t < T; ++t) {
      CHECK(batch.inputs.at({b, t}) == 0);
      CHECK(batch.targets.at({b, t}) == Batch::ignored);
    }
}

TEST_CASE("spans leave sentinels, and together give the text again") {
  const SpanOptions options = {.first_sentinel = 1000, .sentinels = 32};
  for (uint64_t sample = 0; sample < 2000; ++sample) {
    Draws draws(random_key(1, 2), sample);
    const int64_t count = 2 + static_cast<int64_t>(sample % 100);
    const CorruptedSpans made = corrupt_spans(ids_of(count, 0), options, draws);
    const auto [hidden, spans] = count_spans(count, options);
    CHECK(hidden == std::max<int64_t>(1, static_cast<int64_t>(0.15 * static_cast<double>(count) + 0.5)));
    CHECK(static_cast<int64_t>(made.input.size()) == count - hidden + spans);
    CHECK(static_cast<int64_t>(made.target.size()) == hidden + spans + 1);
    CHECK(made.input[0] == 0);
    CHECK(made.target.back() == 1000 + spans);
    Ids whole;
    auto target = made.target.begin();
    int64_t met = 0;
    for (const int64_t id : made.input) {
      if (id < 1000) {
        whole.push_back(id);
        continue;
      }
      CHECK(id == 1000 + met++);
      REQUIRE(*target == id);
      for (++target; *target < 1000; ++target) whole.push_back(*target);
    }
    CHECK(met == spans);
    CHECK(whole == ids_of(count, 0));
  }
}

TEST_CASE("three tokens a span, each place as likely") {
  const SpanOptions options = {.first_sentinel = 1000, .sentinels = 32};
  CHECK(count_spans(100, options).hidden == 15);
  CHECK(count_spans(100, options).spans == 5);
  std::vector<int> hidden(40, 0);
  constexpr int count = 4000;
  for (uint64_t sample = 0; sample < count; ++sample) {
    Draws draws(random_key(3, 2), sample);
    for (const int64_t id : corrupt_spans(ids_of(40, 0), options, draws).target)
      if (id < 1000) ++hidden[static_cast<size_t>(id)];
  }
  CHECK(hidden[0] == 0);
  CHECK(std::accumulate(hidden.begin(), hidden.end(), 0) == 6 * count);
  for (size_t place = 4; place < 36; ++place) CHECK(std::abs(hidden[place] / double{count} - 0.15) < 0.05);
}

TEST_CASE("what cannot be cut into spans is refused") {
  Draws draws(random_key(1, 2), 0);
  const SpanOptions options = {.first_sentinel = 1000, .sentinels = 3};
  CHECK_THROWS_AS(corrupt_spans(ids_of(1), options, draws), ValueError);
  CHECK_THROWS_WITH_AS(corrupt_spans(ids_of(100), options, draws),
                       "corrupt_spans: 5 spans of 100 tokens need 6 sentinels, there are 3", ValueError);
  CHECK_THROWS_AS(count_spans(9, {.sentinels = 9, .share = 0}), ValueError);
  CHECK_THROWS_AS(count_spans(9, {.sentinels = 9, .share = 1}), ValueError);
  CHECK_THROWS_AS(count_spans(9, {.sentinels = 9, .mean_length = 0.5}), ValueError);
}
