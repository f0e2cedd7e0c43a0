// One model trained by many processes, with the loop in plain sight. Beside what a loop of one process has, there are three
// things: Processes::joined(), GradientShards, and the pieces of an update that its share of the samples comes in.
//
//   mpirun -n 2 build/bin/data_parallel [STEPS]      (as root: with --allow-run-as-root)
//   build/bin/data_parallel [STEPS]
//
// Both end with the same bits: an update has 4 shards, whoever computes them. It prints
//   2 processes, this one computes shards 0 to 1 of 4
//   step   0/200  loss 3.5521  norm 2.31
//   ...
//   digest of the weights: 4f0c...
#include <weft/weft.h>

#include <cstdio>

using namespace weft;

int main(int argc, char** argv) try {
  const int64_t steps = argc > 1 ? std::stol(argv[1]) : 200;
  Processes& processes = Processes::joined();

  const std::string text = generate_stories(100'000, 7).text;
  const CharTokenizer tokenizer = CharTokenizer::of(text);
  const auto tokens = all_tokens(std::make_shared<MemoryTokens>(tokenizer.encode(text)));
  const RandomScope initial({.seed = 1});
  GPT model({.vocab_size = tokenizer.vocab_size(),
             .block_size = 64,
             .n_layer = 2,
             .n_head = 4,
             .n_embd = 64,
             .dropout = 0.1});
  AdamW optimizer(parameter_groups(model.parameters()), {.beta2 = 0.99});

  GradientShards shards(optimizer.parameters(), 4, processes);
  const UpdateShare share = shards.share();
  Loader loader(std::make_shared<TokenDataset>(tokens, 64, 1), 16, share);
  if (processes.is_first())
    std::printf("%d processes, this one computes shards %d to %d of 4\n", processes.size(),
                static_cast<int>(share.mine.begin), static_cast<int>(share.mine.end - 1));

  for (int64_t k = 0; k < steps; ++k) {
    TrainStep step(optimizer, {.seed = 1, .step = k, .shards = &shards});
    for (const UpdatePiece& piece : loader.update()) step.backward(model, loader.next(), piece);
    const double norm = step.finish({.lr = 3e-3, .max_norm = 1.0});
    if (k % 50 == 0 && processes.is_first())
      std::printf("%s  loss %.4f  norm %.2f\n", step_text(k, steps).c_str(), step.loss(), norm);
  }

  Hasher weights;
  for (const NamedTensor& p : model.parameters())
    weights.update({static_cast<const uint8_t*>(p.tensor.value().bytes()), p.tensor.value().nbytes()});
  if (processes.is_first()) std::printf("digest of the weights: %s\n", to_hex(weights.digest()).c_str());
  processes.leave();
} catch (const std::exception& error) {
  Processes& processes = Processes::joined();
  if (processes.report_failure(error.what())) std::fprintf(stderr, "data_parallel: %s\n", error.what());
  if (!processes.leave()) std::_Exit(1);
  return 1;
}
