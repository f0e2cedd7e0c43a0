// What a small GPT looks at: trains one on made-up stories for some seconds, reads the beginning of a
// story it has not seen, and draws the attention of every layer and head as one picture.
//
//   build/bin/attention_picture [OUT.svg [STEPS]]
//
// prints the loss and writes OUT.svg (attention.svg): a square for each head, a row for each character that
// looks, a column for each character it looks at; the darker, the more. The heads come to differ: some look
// at the last few characters, some back to single ones, the spaces and digits where a word or a number
// begins.
#include <weft/weft.h>

#include <cstdio>
#include <fstream>

using namespace weft;

/// The weights (1, H, T, T) of every layer for one text.
std::vector<Array> attention_of(GPT& model, const Array& ids) {
  const NoGrad no_grad;
  model.eval();
  std::vector<Array> all;
  Tensor x = model.position_embedding(model.token_embedding(ids));
  for (const EncoderBlock& block : model.blocks) {
    const Tensor normed = block.norm1(x);
    all.push_back(block.attention.weights(normed, normed, Mask::causal()));
    x = block(x, Mask::causal());
  }
  return all;
}

std::string escaped(char c) {
  return c == '<' ? "&lt;" : c == '&' ? "&amp;" : c == '\n' ? "&#8629;" : std::string(1, c);
}

void draw(const std::string& path, const std::vector<Array>& layers, const std::string& text) {
  const int64_t heads = layers[0].dim(1), T = layers[0].dim(2), cell = 7, side = T * cell, gap = 44;
  std::ofstream svg(path);
  svg << "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 " << heads * (side + gap) + gap << ' '
      << static_cast<int64_t>(layers.size()) * (side + gap) + gap
      << "' font-family='monospace' font-size='7'>\n"
      << "<style>svg{background:#fff}.w{fill:#1f4e9e}</style>\n";
  for (size_t layer = 0; layer < layers.size(); ++layer) {
    for (int64_t head = 0; head < heads; ++head) {
      svg << "<g transform='translate(" << gap + head * (side + gap) << ' '
          << gap + static_cast<int64_t>(layer) * (side + gap) << ")'>"
          << "<text y='-16' font-size='11'>layer " << layer << ", head " << head << "</text>"
          << "<rect width='" << side << "' height='" << side << "' fill='none' stroke='#bbb'/>\n";
      for (int64_t t = 0; t < T; ++t) {
        const std::string letter = escaped(text[static_cast<size_t>(t)]);
        svg << "<text x='-6' y='" << t * cell + 6 << "'>" << letter << "</text><text x='" << t * cell + 1
            << "' y='-4'>" << letter << "</text>";
        for (int64_t s = 0; s <= t; ++s) {
          const double weight = layers[layer].at({0, head, t, s});
          if (weight < 0.02) continue;
          char line[160];
          std::snprintf(line, sizeof line,
                        "<rect class='w' x='%ld' y='%ld' width='%ld' height='%ld' opacity='%.2f'/>\n",
                        s * cell, t * cell, cell, cell, weight);
          svg << line;
        }
      }
      svg << "</g>\n";
    }
  }
  svg << "</svg>\n";
  if (!svg.flush()) fail<FileError>(path, ": could not be written");
}

int main(int argc, char** argv) try {
  const std::string path = argc > 1 ? argv[1] : "attention.svg";
  const int64_t steps = argc > 2 ? std::stol(argv[2]) : 600;

  const std::string text = generate_stories(300'000, 1).text;
  const CharTokenizer tokenizer = CharTokenizer::of(text);
  const auto tokens = all_tokens(std::make_shared<MemoryTokens>(tokenizer.encode(text)));
  const RandomScope random({.seed = 1});
  GPT model(
      {.vocab_size = tokenizer.vocab_size(), .block_size = 96, .n_layer = 2, .n_head = 4, .n_embd = 64});
  AdamW optimizer(model.parameters(), {.beta2 = 0.99});
  Loader loader(std::make_shared<TokenDataset>(tokens, 96, 1), 12);
  for (int64_t step = 0; step < steps; ++step) {
    TrainStep update(optimizer, {.seed = 1, .step = step});
    const Loss loss = update.backward(model, loader.next());
    update.finish(
        {.lr = schedule::cosine(step, {.lr = 3e-3, .warmup = 20, .steps = steps}), .max_norm = 1.0});
    if (step % 100 == 0 || step == steps - 1) std::printf("step %4ld  loss %.4f\n", step, loss.mean().item());
  }

  const std::string sentence = make_story(2, 0).text.substr(0, 64);
  const std::vector<int64_t> ids = tokenizer.encode(sentence);
  draw(path, attention_of(model, Array::from(ids, {1, static_cast<int64_t>(ids.size())})), sentence);
  std::printf("%s: attention of 2 layers, 4 heads each, over: %s\n", path.c_str(), sentence.c_str());
} catch (const std::exception& error) {
  std::fprintf(stderr, "attention_picture: %s\n", error.what());
  return 1;
}
