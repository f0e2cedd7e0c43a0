#include <doctest/doctest.h>
#include <weft/autograd/ops.h>
#include <weft/layers/models/decoding/generation.h>
#include <weft/layers/models/gpt.h>
#include <weft/lib/array/random.h>
#include <weft/lib/files/hdf5_file.h>

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
  refuses<ValueError>([] { generate(model(), {1}, {.stop = {{2}, {}}}); }, {"generate", "empty sequence"});
  refuses<ValueError>([] { generate_batch(model(), {{1}, {}}, greedy(1)); }, {"generate", "row 1 is empty"});
}

namespace {

/// What generation must give, without remembering anything: every token from a full pass over what is read.
Tokens without_cache(const GenerativeModel& decoder, Tokens all, const GenerateOptions& options) {
  const NoGrad no_grad;
  const auto context = static_cast<size_t>(decoder.context());
  const RandomKey key = random_key(options.seed, stream_id("generate"));
  Tokens added, read(all.end() - static_cast<std::ptrdiff_t>(std::min(all.size(), context)), all.end());
  for (int64_t n = 0; n < options.tokens; ++n) {
    const auto T = static_cast<int64_t>(read.size());
    const Tensor logits = decoder.logits({Array::from(read, {1, T}), {}});
    added.push_back(sample_token(slice(logits, 1, T - 1, T).value().values<float>(), options.sampling, key, 0,
                                 static_cast<uint64_t>(n), all));
    all.push_back(added.back());
    read.push_back(added.back());
    if (read.size() > context) read.assign(all.end() - static_cast<std::ptrdiff_t>(context / 2), all.end());
  }
  return added;
}

const std::vector<Tokens> prompts = {
    {3, 1, 4, 1, 5}, {9}, {2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4}, {6, 2, 6, 4, 3, 3, 8}, {9}};

}  // namespace

TEST_CASE("generation: prompts of unequal lengths give what each gives alone, and what no cache gives") {
  const GenerateOptions options{.tokens = 40,  // each row fills its context at its own time, several times
                                .sampling = {.temperature = 1.3, .top_p = 0.95, .repetition_penalty = 1.1},
                                .seed = 5};
  const std::vector<Tokens> found = generate_batch(model(), prompts, options);
  REQUIRE(found.size() == prompts.size());
  for (size_t i = 0; i < prompts.size(); ++i) {
    CAPTURE(i);
    CHECK(found[i].size() == 40);
    CHECK(found[i] == generate(model(), prompts[i], options));
    CHECK(found[i] == without_cache(model(), prompts[i], options));
  }
  CHECK(found[1] == found[4]);
  CHECK(found[1] != found[0]);
  CHECK(generate_batch(model(), {}, options).empty());
}

TEST_CASE("generation: rows end on their own, by an id, a sequence or the one who listens") {
  GenerateOptions options{.tokens = 30, .sampling = {.temperature = 1}, .seed = 2};
  const std::vector<Tokens> whole = generate_batch(model(), prompts, options);
  const auto cut = [&](const auto& ends) {
    std::vector<Tokens> expected;
    for (const Tokens& row : whole) {
      Tokens kept;
      for (const int64_t token : row) {
        kept.push_back(token);
        if (ends(kept)) break;
      }
      expected.push_back(kept);
    }
    return expected;
  };
  options.end_ids = {whole[0][5], whole[3][9]};
  std::vector<Tokens> found = generate_batch(model(), prompts, options);
  CHECK(found == cut([&](const Tokens& t) { return t.back() == whole[0][5] || t.back() == whole[3][9]; }));
  CHECK(found[0].size() <= 6);

  options.end_ids = {};
  options.stop = {{whole[0][6], whole[0][7]}, {whole[2][11]}};
  found = generate_batch(model(), prompts, options);
  CHECK(found == cut([&](const Tokens& t) {
          return t.back() == whole[2][11] ||
                 (t.size() > 1 && t[t.size() - 2] == whole[0][6] && t.back() == whole[0][7]);
        }));
  CHECK(found[0].size() <= 8);

  options.stop = {};
  std::vector<Tokens> seen(prompts.size());
  found = generate_batch(model(), prompts, options, [&](int64_t row, int64_t token) {
    seen[static_cast<size_t>(row)].push_back(token);
    return static_cast<int64_t>(seen[static_cast<size_t>(row)].size()) < 3 * row + 2;
  });
  CHECK(found == seen);
  for (size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i].size() == 3 * i + 2);
    CHECK(std::equal(found[i].begin(), found[i].end(), whole[i].begin()));
  }
}

TEST_CASE("beam search: one beam is greedy, and prompts in a batch find what each finds alone") {
  const std::vector<std::vector<Hypothesis>> one = beam_search(model(), prompts, {.beams = 1, .tokens = 25});
  const std::vector<std::vector<Hypothesis>> four =
      beam_search(model(), prompts, {.beams = 4, .tokens = 25, .length_penalty = 0.5, .end_ids = {4}});
  for (size_t i = 0; i < prompts.size(); ++i) {
    CAPTURE(i);
    REQUIRE(one[i].size() == 1);
    CHECK(one[i][0].tokens == generate(model(), prompts[i], greedy(25)));
    const std::vector<Hypothesis> alone = beam_search(
        model(), {prompts[i]}, {.beams = 4, .tokens = 25, .length_penalty = 0.5, .end_ids = {4}})[0];
    REQUIRE(four[i].size() == 4);
    for (size_t k = 0; k < 4; ++k) {
      CHECK(four[i][k].tokens == alone[k].tokens);
      CHECK(four[i][k].score == alone[k].score);
      if (k > 0) CHECK(four[i][k].score <= four[i][k - 1].score);
    }
  }
}

TEST_CASE("beam search: as wide as the tree it finds the likeliest text of all") {
  const NoGrad no_grad;
  const Hypothesis found =
      beam_search(model(), {{1, 2}}, {.beams = 121, .tokens = 3, .length_penalty = 0})[0][0];
  double best = -1e30;
  Tokens likeliest;
  for (int64_t i = 0; i < 11 * 11 * 11; ++i) {
    const Tokens all = {1, 2, i / 121, i / 11 % 11, i % 11};
    const Tensor chances = log_softmax(model().logits({Array::from(all, {1, 5}), {}}), -1);
    double sum = 0;
    for (int64_t t = 1; t < 4; ++t) sum += chances.value().at({0, t, all[static_cast<size_t>(t) + 1]});
    if (sum > best) {
      best = sum;
      likeliest = {all.begin() + 2, all.end()};
    }
  }
  CHECK(found.tokens == likeliest);
  CHECK(found.score == doctest::Approx(best).epsilon(1e-6));
}

TEST_CASE("beam search and greedy choice give transformers' tokens") {
  const StateDict file = read_hdf5(WEFT_SOURCE_DIR "/tests/reference/generation.h5");
  const NoInit no_init;
  for (const char* kind : {"gpt2"}) {
    CAPTURE(std::string(kind));
    const StateDict &given = file.dict(kind), &cases = given.dict("cases");
    GPT generative(GPTConfig::from_state(given.dict("config")));
    generative.load_state_dict(given.dict("weights"));
    generative.eval();
    const auto row = [&](const char* name, int64_t i) {
      const Array& rows = cases.array(name);
      Tokens ids;
      for (int64_t k = 0; k < rows.dim(1); ++k) {
        const auto id = static_cast<int64_t>(rows.at({i, k}));
        if (id >= 0) ids.push_back(id);
      }
      return ids;
    };
    for (int64_t i = 0; i < cases.array("beams").size(); ++i) {
      CAPTURE(i);
      const Tokens prompt = row("prompt", i), expected = row("result", i);
      const auto beams = static_cast<int64_t>(cases.array("beams").at({i}));
      const auto tokens = static_cast<int64_t>(cases.array("tokens").at({i}));
      CHECK(beam_search(generative, {prompt},
                        {.beams = beams,
                         .tokens = tokens,
                         .length_penalty = cases.array("length_penalty").at({i}),
                         .end_ids = row("ends", i)})[0][0]
                .tokens == expected);
      if (beams > 1) continue;
      GenerateOptions options = greedy(tokens);
      options.end_ids = row("ends", i);
      CHECK(generate(generative, prompt, options) == expected);
    }
  }
}

TEST_CASE("beam search: what it does not take") {
  refuses<ValueError>([] { beam_search(model(), {{}}, {}); }, {"beam_search", "prompt is empty"});
  refuses<ValueError>([] { beam_search(model(), {{1}, {}}, {}); }, {"beam_search", "row 1 is empty"});
  refuses<ValueError>([] { beam_search(model(), {{1}}, {.beams = 0}); }, {"beam_search", "0 beams"});
  refuses<ValueError>([] { beam_search(model(), {{1}}, {.tokens = -1}); }, {"beam_search", "-1 tokens"});
  refuses<ValueError>([] { beam_search(model(), {{1}}, {.length_penalty = NAN}); }, {"length_penalty nan"});
  refuses<ValueError>([] { beam_search(model(), {{11}}, {}); }, {"11"});
  CHECK(beam_search(model(), {{1}}, {.tokens = 0})[0][0].tokens.empty());
  CHECK(beam_search(model(), {}, {}).empty());
}

TEST_CASE(
    "generation: each sample of a prompt is a text of its own, alone as in a batch; sample 0 is that of "
    "before") {
  const GenerateOptions options{.tokens = 20, .sampling = {.temperature = 1.5}, .seed = 6};
  const auto sample = [&](const Tokens& prompt, uint64_t number) {
    GenerateOptions one = options;
    one.samples = {number};
    return generate(model(), prompt, one);
  };
  const Tokens a = {3, 1, 4}, b = {1, 5};
  CHECK(sample(a, 0) == generate(model(), a, options));
  CHECK(sample(a, 1) != sample(a, 0));
  CHECK(sample(a, 2) != sample(a, 0));
  CHECK(sample(a, 2) != sample(a, 1));
  GenerateOptions several = options;
  several.samples = {2, 0, 1, 0};
  CHECK(generate_batch(model(), {a, a, b, b}, several) ==
        std::vector<Tokens>{sample(a, 2), sample(a, 0), sample(b, 1), sample(b, 0)});
  refuses<ValueError>([&] { generate_batch(model(), {a}, several); }, {"generate: 4 samples for 1 prompts"});
}

}  // namespace weft::test
