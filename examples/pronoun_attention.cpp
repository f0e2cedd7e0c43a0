// Where does "she" look? Trains a small GPT of words on made-up stories and measures, for each layer and
// head, the share of its attention that a pronoun gives to the names it stands for, before and after.
//
//   build/bin/pronoun_attention [STEPS]
//
// An AttentionRecorder hands over the weights while the model reads stories that it has not seen; each story
// says which words are its pronouns and whom they mean. A pronoun is looked at from two places: from itself,
// and from the word before it, where the model has to know who comes next. There one head learns to find the
// name among those of three stories; which one, and how sharply, changes with the seed (seeds 1, 2 and 3: 11,
// 17 and 36 % after 2,500 steps, half a minute on one core):
//
//   after 0 steps: of the attention of the word before a pronoun, % on ... (by chance 0.9)
//             head 0  head 1  head 2  head 3
//   layer 0      0.9     0.9     0.9     0.9
//   layer 1      0.9     0.9     0.9     0.9
//
//   after 2500 steps: of the attention of the word before a pronoun, % on ... (by chance 0.9)
//             head 0  head 1  head 2  head 3
//   layer 0      1.4     1.0     0.7     0.5
//   layer 1      0.6    35.7     0.3     0.3
#include <weft/weft.h>

#include <cstdio>

using namespace weft;

constexpr int64_t context = 160, layers = 2, heads = 4;

/// The tokens that lie in a part of the text, given where each token ends.
std::vector<int64_t> tokens_in(const TextSpan& span, const std::vector<int64_t>& ends) {
  std::vector<int64_t> tokens;
  for (int64_t i = 0; i < std::ssize(ends); ++i) {
    const int64_t end = ends[static_cast<size_t>(i)];
    if (end > static_cast<int64_t>(span.begin) && end <= static_cast<int64_t>(span.end)) tokens.push_back(i);
  }
  return tokens;
}

/// Shares of attention, added up over pronouns.
struct Shares {
  double by_head[layers][heads] = {};
  double by_chance = 0;  ///< what even attention would give
  int64_t count = 0;

  /// What token `from` gives to the names before it.
  void add(const AttentionRecorder& recorder, int64_t from, const std::vector<int64_t>& names) {
    ++count;
    for (const int64_t name : names) {
      by_chance += 1.0 / static_cast<double>(from + 1);
      for (int64_t layer = 0; layer < layers; ++layer)
        for (int64_t head = 0; head < heads; ++head)
          by_head[layer][head] +=
              recorder.records()[static_cast<size_t>(layer)].weights.at({0, head, from, name});
    }
  }

  void print(int64_t steps, const char* whose) const {
    const double percent = 100.0 / static_cast<double>(count);
    std::printf("after %ld steps: of the attention of %s, %% on the names it stands for (by chance %.1f)\n",
                steps, whose, by_chance * percent);
    std::printf("        ");
    for (int64_t head = 0; head < heads; ++head) std::printf("  head %ld", head);
    for (int64_t layer = 0; layer < layers; ++layer) {
      std::printf("\nlayer %ld ", layer);
      for (int64_t head = 0; head < heads; ++head) std::printf("%8.1f", by_head[layer][head] * percent);
    }
    std::printf("\n\n");
  }
};

/// Reads stories that the model was not trained on, each behind two others with names of their own.
void measure(GPT& model, const Tokenizer& tokenizer, int64_t steps) {
  const NoGrad no_grad;
  model.eval();
  Shares pronouns, words_before;
  for (uint64_t number = 0; number < 600; number += 3) {
    const std::string before = make_story(2, number).text + make_story(2, number + 1).text;
    const Story story = make_story(2, number + 2);
    std::vector<int64_t> ids = tokenizer.encode(before + story.text);
    // Where each token ends, in bytes of the story. Words have their space in front; the first has none.
    std::vector<int64_t> ends;
    int64_t end = -std::ssize(before) - 1;
    for (const int64_t id : ids) ends.push_back(end += std::ssize(tokenizer.decode(id)));
    const auto skipped = std::max<std::ptrdiff_t>(0, std::ssize(ids) - context);
    ids.erase(ids.begin(), ids.begin() + skipped);
    ends.erase(ends.begin(), ends.begin() + skipped);

    const AttentionRecorder recorder;
    model.forward(Array::from(ids, {1, std::ssize(ids)}));
    for (const Pronoun& pronoun : story.pronouns) {
      std::vector<int64_t> names;
      for (const TextSpan& name : pronoun.names)
        for (const int64_t token : tokens_in(name, ends)) names.push_back(token);
      const std::vector<int64_t> place = tokens_in(pronoun.place, ends);
      pronouns.add(recorder, place[0], names);
      words_before.add(recorder, place[0] - 1, names);
    }
  }
  model.train();
  pronouns.print(steps, "a pronoun");
  words_before.print(steps, "the word before a pronoun");
}

int main(int argc, char** argv) try {
  const int64_t steps = argc > 1 ? std::stol(argv[1]) : 2500;
  const std::string text = generate_stories(1'000'000, 1).text;
  const WordTokenizer tokenizer = WordTokenizer::of(text + "\n" + story_words());
  const auto tokens = all_tokens(std::make_shared<MemoryTokens>(tokenizer.encode(text)));

  const RandomScope initial({.seed = 3});
  GPT model({.vocab_size = tokenizer.vocab_size(),
             .block_size = context,
             .n_layer = layers,
             .n_head = heads,
             .n_embd = 64});
  AdamW optimizer(model.parameters(), {.beta2 = 0.99});
  Loader loader(std::make_shared<TokenDataset>(tokens, context, 1), 8);
  measure(model, tokenizer, 0);
  for (int64_t step = 0; step < steps; ++step) {
    TrainStep update(optimizer, {.seed = 1, .step = step});
    const Loss loss = update.backward(model, loader.next());
    update.finish(
        {.lr = schedule::cosine(step, {.lr = 3e-3, .warmup = 20, .steps = steps}), .max_norm = 1.0});
    if (step % 500 == 0 || step == steps - 1) std::printf("step %4ld  loss %.4f\n", step, loss.mean().item());
  }
  std::puts("");
  measure(model, tokenizer, steps);
} catch (const std::exception& error) {
  std::fprintf(stderr, "pronoun_attention: %s\n", error.what());
  return 1;
}
