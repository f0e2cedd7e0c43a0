// A character GPT from text to sample, with the loop in plain sight: batches, loss, backward, clip, AdamW, schedule,
// evaluation; and with all that makes it a run (train/run.h): a folder with a lock, a log, checkpoints and best.h5.
//
//   build/bin/char_gpt [TEXT.txt [RUN [STEPS]]]
//
// trains on TEXT (else on stories that it makes up itself) into the folder RUN (runs/char_gpt). Stopped, by Ctrl-C or by
// kill -9, and run again, it goes on from its last checkpoint with the same bits; with more STEPS than before (300) it
// trains further. It prints
//   step   0/300  train loss 3.9764  validation loss 3.9791
//   step 100/300  train loss 1.9719  validation loss 2.0296
//   ...
// and a sample. `weft generate`, `weft eval`, `weft inspect` and the others take RUN as they take their own.
#include <weft/weft.h>

#include <cstdio>

using namespace weft;

TokenizedText stories(uint64_t seed) {
  const std::string text = generate_stories(200'000, seed).text;
  const auto tokenizer = std::make_shared<CharTokenizer>(CharTokenizer::of(text));
  TokenizedText made;
  made.tokenizer = tokenizer;
  made.tokens = std::make_shared<MemoryTokens>(tokenizer->encode(text));
  made.content_hash = str("stories of seed ", seed);
  return made;
}

int main(int argc, char** argv) try {
  const std::string path = argc > 2 ? argv[2] : "runs/char_gpt";
  const int64_t steps = argc > 3 ? std::stol(argv[3]) : 300;
  const uint64_t seed = 1337;

  // The first nine tenths train, the rest validate.
  const TokenizedText text = argc > 1 ? tokenize_files({argv[1]}, {}) : stories(seed);
  const auto [train, validation] = split_tokens(text.tokens);
  const GPTConfig config{.vocab_size = text.tokenizer->vocab_size(),
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

  const StopSignals signals;
  Console console;
  Run run =
      Run::create_or_resume(path, {model, optimizer, loader},
                            {.tokenizer = text.tokenizer,
                             .trained_on = {.task = "text", .seed = seed, .block_size = config.block_size},
                             .config = config.state(),
                             .content_hash = text.content_hash,
                             .checkpoint_interval = 100});
  if (run.step() > 0) console.print(str(path, ": goes on at step ", run.step()));
  Progress progress(run.log().seconds());
  for (bool last = false; !last;) {
    last = run.step() >= steps || StopSignals::received() != 0;
    if (run.step() % 100 == 0 && !run.evaluated()) {
      const Evaluation found{run.step(), evaluate(model, seen, 16).mean(),
                             evaluate(model, unseen, 16).mean()};
      const bool best = run.record(found);
      console.print(str(step_text(found.step, steps), "  train loss ", fixed(found.train_loss, 4),
                        "  validation loss ", fixed(found.val_loss, 4), best ? "  (best)" : ""));
    }
    if (last || run.step() % 100 == 0) run.save();
    if (last) break;

    progress.begin_update();
    const double lr =
        schedule::cosine(run.step(), {.lr = 3e-3, .warmup = 20, .steps = steps, .min_lr = 3e-4});
    const Batch batch = loader.next();
    TrainStep step(optimizer, {.seed = seed, .step = run.step()});
    step.backward(model, batch);
    Update done{.step = run.step(), .loss = step.loss(), .lr = lr};
    done.grad_norm = step.finish({.lr = lr, .max_norm = 1.0});
    progress.end_update(done, batch.inputs.size());
    run.record(done);
    console.renew(progress.line(done, steps));
  }
  if (const int signal = StopSignals::received()) return exit_code_of(signal);

  console.clear();
  model.eval();
  const auto show = [&](int64_t id) { return std::fputs(text.tokenizer->decode(id).c_str(), stdout) >= 0; };
  generate(model, text.tokenizer->encode("\n"), {.tokens = 300}, show);
  std::puts("");
} catch (const std::exception& error) {
  std::fprintf(stderr, "char_gpt: %s\n", error.what());
  return 1;
}
