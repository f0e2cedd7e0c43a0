// A character GPT from text to sample, with the loop in plain sight: batches, loss, backward, clip, AdamW,
// schedule, evaluation, checkpoint, and resume.
//
//   build/bin/char_gpt [TEXT.txt [CHECKPOINT.h5 [STEPS]]]
//
// trains on TEXT (else on stories that it makes up itself) and writes CHECKPOINT (char_gpt.h5) every 100
// steps. Stopped and run again, it goes on from there with the same bits; with more STEPS than before (300)
// it trains further. It prints
//   step    0  train 3.9764  validation 3.9791
//   step  100  train 1.9719  validation 2.0296
//   ...
// and a sample.
#include <weft/weft.h>

#include <cstdio>
#include <filesystem>

using namespace weft;

TokenizedText stories(uint64_t seed) {
  const std::string text = generate_stories(200'000, seed).text;
  const auto tokenizer = std::make_shared<CharTokenizer>(CharTokenizer::of(text));
  TokenizedText made;
  made.tokenizer = tokenizer;
  made.tokens = std::make_shared<MemoryTokens>(tokenizer->encode(text));
  return made;
}

double evaluate(GPT& model, const EvalDataset& data) {
  const NoGrad no_grad;
  model.eval();
  LossMeter meter;
  for (int64_t i = 0; i < data.size(); i += 16) {
    const Batch batch = data.batch(i, 16);
    meter.add(model.loss(batch));
  }
  model.train();
  return meter.mean();
}

int main(int argc, char** argv) try {
  const std::string path = argc > 2 ? argv[2] : "char_gpt.h5";
  const int64_t steps = argc > 3 ? std::stol(argv[3]) : 300;
  const uint64_t seed = 1337;

  // The first nine tenths train, the rest validate.
  const TokenizedText text = argc > 1 ? tokenize_files({argv[1]}, {}) : stories(seed);
  const Tokenizer& tokenizer = *text.tokenizer;
  const auto [train, validation] = split_tokens(text.tokens);

  const GPTConfig config{.vocab_size = tokenizer.vocab_size(),
                         .block_size = 64,
                         .n_layer = 3,
                         .n_head = 4,
                         .n_embd = 64,
                         .dropout = 0.1};
  const RandomScope initial({.seed = seed});
  GPT model(config);
  AdamW optimizer(parameter_groups(model.parameters()), {.beta2 = 0.99, .weight_decay = 0.1});
  Loader loader(std::make_shared<TokenDataset>(train, config.block_size, seed), 16);
  const EvalDataset seen(train, config.block_size, 64), unseen(validation, config.block_size, 64);

  if (std::filesystem::exists(path)) {
    const StateDict state = read_checkpoint(path);
    model.load_state_dict(state.dict("model"));
    optimizer.load_state_dict(state.dict("optimizer"));
    loader.load_state_dict(state.dict("loader"));
    std::printf("%s: goes on at step %ld\n", path.c_str(), optimizer.steps());
  }

  for (int64_t step = optimizer.steps();; ++step) {
    if (step % 100 == 0) {
      std::printf("step %4ld  train %.4f  validation %.4f\n", step, evaluate(model, seen),
                  evaluate(model, unseen));
      StateDict state;
      state.set("model", model.shared_state_dict());
      state.set("optimizer", optimizer.state_dict());
      state.set("loader", loader.state_dict());
      write_checkpoint(path, state);
    }
    if (step >= steps) break;
    const RandomScope random({.seed = seed, .step = static_cast<uint64_t>(step)});
    const Batch batch = loader.next();
    const Loss loss = model.loss(batch);
    loss.sum.backward();
    const double lr = schedule::cosine(step, {.lr = 3e-3, .warmup = 20, .steps = steps, .min_lr = 3e-4});
    train_step(optimizer, {.lr = lr, .count = loss.count, .max_norm = 1.0});
  }

  model.eval();
  const auto show = [&](int64_t id) { return std::fputs(tokenizer.decode(id).c_str(), stdout) >= 0; };
  generate(model, tokenizer.encode("\n"), {.tokens = 300}, show);
  std::puts("");
} catch (const std::exception& error) {
  std::fprintf(stderr, "char_gpt: %s\n", error.what());
  return 1;
}
