#include <doctest/doctest.h>
#include <weft/layers/models/gpt.h>
#include <weft/layers/models/transformer.h>
#include <weft/lib/array/random.h>
#include <weft/train/endings.h>

#include <cmath>

#include "checks.h"

namespace weft::test {
namespace {

using Ids = std::vector<int64_t>;

/// log softmax(logits)[id] of a row of logits, in double.
double log_probability(const Array& logits, int64_t row, int64_t id) {
  const Array wide = logits.to(float64);
  const int64_t V = wide.dim(-1);
  const auto values = wide.values<double>().subspan(static_cast<size_t>(row * V), static_cast<size_t>(V));
  double sum = 0;
  for (const double value : values) sum += std::exp(value);
  return values[static_cast<size_t>(id)] - std::log(sum);
}

Ids some_ids(int64_t count, uint64_t seed) {
  Ids ids;
  const Array drawn = random_uniform({count}, 0, 12, random_key(seed, 1)).to(int64);
  for (const int64_t id : drawn.values<int64_t>()) ids.push_back(id);
  return ids;
}

GPT small_gpt() {
  const RandomScope random({.seed = 4});
  return GPT({.vocab_size = 12, .block_size = 10, .n_layer = 2, .n_head = 2, .n_embd = 16});
}

/// By reading all but the last token, and looking up each.
double by_hand(GPT& model, const Ids& context, const Ids& ids) {
  const NoGrad no_grad;
  Ids all = context;
  all.insert(all.end(), ids.begin(), ids.end());
  const int64_t over = std::max<int64_t>(0, std::ssize(all) - 1 - model.context());
  const Ids read(all.begin() + over, all.end() - 1);
  const Array logits =
      model.logits({Array::from(read, {1, std::ssize(read)}), Array::zeros({1, std::ssize(read)}, int64)})
          .value();
  double sum = 0;
  for (int64_t i = 0; i < std::ssize(ids); ++i)
    sum += log_probability(logits, std::ssize(read) - std::ssize(ids) + i, ids[static_cast<size_t>(i)]);
  return sum;
}

}  // namespace

TEST_CASE("endings: the sum of log-softmax of their tokens") {
  GPT model = small_gpt();
  std::vector<Ending> endings;
  for (int64_t i = 0; i < 80; ++i)
    endings.push_back(
        {some_ids(1 + i % 7, static_cast<uint64_t>(i)), some_ids(1 + i % 5, static_cast<uint64_t>(99 + i))});
  model.train();
  const std::vector<EndingScore> scores = score_endings(model, endings);
  CHECK(model.training());
  model.eval();
  REQUIRE(scores.size() == 80);
  for (size_t i = 0; i < endings.size(); ++i) {
    CHECK(scores[i].tokens == std::ssize(endings[i].ids));
    CHECK(scores[i].log_probability ==
          doctest::Approx(by_hand(model, endings[i].context, endings[i].ids)).epsilon(1e-5));
    // The same bits alone.
    CHECK(score_endings(model, {endings[i]})[0].log_probability == scores[i].log_probability);
  }
  CHECK(score_endings(model, {}).empty());
}

TEST_CASE("endings: of what is longer than the context the beginning is left out") {
  GPT model = small_gpt();
  model.eval();
  const Ids context = some_ids(30, 1), ids = some_ids(4, 2);
  const double found = score_endings(model, {{context, ids}})[0].log_probability;
  CHECK(found == doctest::Approx(by_hand(model, context, ids)).epsilon(1e-5));
  CHECK(found == score_endings(model, {{Ids(context.end() - 7, context.end()), ids}})[0].log_probability);
  const Ids longest = some_ids(10, 3);
  CHECK(score_endings(model, {{context, longest}})[0].tokens == 10);
  refuses<ValueError>(
      [&] {
        score_endings(model, {{context, some_ids(11, 3)}});
      },
      {"11 tokens", "the context of the model 10"});
  refuses<ValueError>([&] { score_endings(model, {{{}, ids}}); }, {"empty"});
  refuses<ValueError>([&] { score_endings(model, {{context, {}}}); }, {"empty"});
}

TEST_CASE("endings: of an encoder-decoder they are answers, of which the first token counts too") {
  const RandomScope random({.seed = 4});
  Transformer model(
      {.vocab_size = 12, .block_size = 8, .n_layer = 1, .n_head = 2, .n_embd = 16, .start_id = 1});
  model.eval();
  const Ids source = some_ids(5, 6), ids = some_ids(3, 7);
  const std::vector<EndingScore> scores =
      score_endings(model, {{source, ids}, {some_ids(2, 8), some_ids(6, 9)}});
  const NoGrad no_grad;
  const Array logits = model.logits({Array::from(source, {1, 5}), Array::from(ids, {1, 3}), {5}}).value();
  double sum = 0;
  for (int64_t i = 0; i < 3; ++i) sum += log_probability(logits, i, ids[static_cast<size_t>(i)]);
  CHECK(scores[0].log_probability == doctest::Approx(sum).epsilon(1e-5));
  CHECK(scores[0].tokens == 3);
  CHECK(scores[0].log_probability == score_endings(model, {{source, ids}})[0].log_probability);
  // The end of what is too long is read.
  const Ids long_source = some_ids(20, 5);
  CHECK(score_endings(model, {{long_source, ids}})[0].log_probability ==
        score_endings(model, {{Ids(long_source.end() - 8, long_source.end()), ids}})[0].log_probability);
}

}  // namespace weft::test
