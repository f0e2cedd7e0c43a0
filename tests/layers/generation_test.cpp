#include <doctest/doctest.h>
#include <weft/autograd/ops.h>
#include <weft/layers/models/generation.h>
#include <weft/layers/models/gpt.h>
#include <weft/lib/random.h>

#include "checks.h"

namespace weft::test {

namespace {

const GPT& model() {
  static const std::unique_ptr<GPT> made = [] {
    const RandomScope random({.seed = 1});
    return std::make_unique<GPT>(
        GPTConfig{.vocab_size = 11, .block_size = 12, .n_layer = 2, .n_head = 2, .n_embd = 8});
  }();
  return *made;
}

GenerateOptions greedy(int64_t tokens) { return {.tokens = tokens, .sampling = {.temperature = 0}}; }

using Tokens = std::vector<int64_t>;

}  // namespace

TEST_CASE("generation: with temperature 0 it takes the likeliest token of the full pass each time") {
  const NoGrad no_grad;
  Tokens all = {3, 1, 4};
  const Tokens found = generate(model(), all, greedy(9));
  for (const int64_t token : found) {
    const Tensor logits = model().forward(Array::from(all, {1, static_cast<int64_t>(all.size())}));
    const Array best = argmax(slice(logits, 1, -1, logits.dim(1)), -1);
    CHECK(static_cast<int64_t>(best.item()) == token);
    all.push_back(token);
  }
  CHECK(found.size() == 9);
}

TEST_CASE("generation: goes on beyond the context, from its last half") {
  const NoGrad no_grad;
  Tokens all(12);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i % 11);
  const Tokens found = generate(model(), all, greedy(3));
  // The first token comes of the whole context, which is then full.
  Tokens read(all.end() - 5, all.end());
  read.push_back(found[0]);
  for (size_t n = 1; n < 3; ++n) {
    const Tensor logits = model().forward(Array::from(read, {1, static_cast<int64_t>(read.size())}));
    CHECK(static_cast<int64_t>(argmax(slice(logits, 1, -1, logits.dim(1)), -1).item()) == found[n]);
    read.push_back(found[n]);
  }
  CHECK(generate(model(), all, greedy(40)).size() == 40);
}

TEST_CASE("generation: of a long prompt only the end counts") {
  Tokens prompt = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 1};
  const Tokens found = generate(model(), prompt, greedy(6));
  prompt.insert(prompt.begin(), {5, 5, 5});
  CHECK(generate(model(), prompt, greedy(6)) == found);
}

TEST_CASE("generation: the seed alone decides") {
  const auto drawn = [](uint64_t seed) {
    return generate(model(), {1}, {.tokens = 30, .sampling = {.temperature = 1}, .seed = seed});
  };
  CHECK(drawn(1) == drawn(1));
  CHECK(drawn(1) != drawn(2));
  // A token does not depend on how many are asked for.
  const Tokens few = generate(model(), {1}, {.tokens = 10, .sampling = {.temperature = 1}, .seed = 1});
  const Tokens many = drawn(1);
  CHECK(std::equal(few.begin(), few.end(), many.begin()));
}

TEST_CASE("generation: each token is shown as it comes, and may be the last") {
  Tokens seen;
  const Tokens found = generate(model(), {1}, greedy(30), [&](int64_t token) {
    seen.push_back(token);
    return seen.size() < 4;
  });
  CHECK(found == seen);
  CHECK(found.size() == 4);
  CHECK(generate(model(), {1}, greedy(0)).empty());
}

TEST_CASE("generation: what it does not take") {
  refuses<ValueError>([] { generate(model(), {}, greedy(1)); }, {"generate", "empty"});
  refuses<ValueError>([] { generate(model(), {11}, greedy(1)); }, {"11"});
  refuses<ValueError>([] { generate(model(), {1}, greedy(-1)); }, {"generate", "-1"});
  refuses<ValueError>([] { generate(model(), {1}, {.sampling = {.temperature = -1}}); },
                      {"temperature", "-1"});
  refuses<ValueError>([] { generate(model(), {1}, {.sampling = {.top_p = 1.5}}); }, {"top_p", "1.5"});
}

}  // namespace weft::test
