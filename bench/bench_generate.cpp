// Generating: tokens a second from a one-token prompt to a full context (gpt2: 256 tokens), batch 1 and 8,
// beside the rate at which this run, in turns with it, merely reads the weights over and over.
//   build/bin/bench_generate [--model nano|baby|gpt2] [--weights float32|int8] [--threads N] [--seconds S] [--json]
#include <weft/autograd/int8.h>
#include <weft/layers/models/decoding/sampling.h>
#include <weft/layers/quantize.h>

#include "models.h"
#include "options.h"

namespace {

constexpr int fewest_rounds = 3;  ///< of reading and of generating in turn: the memory is shared with others
constexpr int64_t sample_bytes = int64_t{1} << 33;  ///< read in a row, about as long as a small model writes

/// One sequence in each row of the batch, token by token.
void generate(const weft::GPT& model, int64_t batch, int64_t tokens) {
  const std::unique_ptr<weft::DecoderState> state = model.start(batch);
  weft::Array ids = weft::Array::zeros({batch, 1}, weft::int64);
  const weft::RandomKey key = weft::random_key(1, 1);
  const size_t V = static_cast<size_t>(model.config.vocab_size);
  for (int64_t n = 1; n < tokens; ++n) {
    const weft::Array logits = model.next(ids, {}, *state).value();
    for (int64_t b = 0; b < batch; ++b) {
      const auto row = logits.values<float>().subspan(static_cast<size_t>(b) * V, V);
      ids.mutable_data<int64_t>()[b] =
          weft::sample_token(row, {}, key, static_cast<uint64_t>(b), static_cast<uint64_t>(n));
    }
  }
}

/// A token reads every weight but the embeddings' other rows and the positions; of those in int8 a byte each, and a scale for
/// every 64.
int64_t bytes_of_token(weft::GPT& model, bool int8) {
  std::vector<std::pair<weft::Tensor, int64_t>> sizes;
  for (const weft::NamedTensor& p : model.parameters()) sizes.emplace_back(p.tensor, p.tensor.size());
  if (int8) weft::quantize_weights(model);
  int64_t bytes = -4 * model.config.block_size * model.config.n_embd;
  for (const auto& [weight, size] : sizes) bytes += weft::is_int8(weight) ? size + size / 16 : 4 * size;
  return bytes;
}

void measure(const bench::Model& m, const std::string& weights, const bench::Setup& setup) {
  const weft::RandomScope random({.seed = 1});
  weft::GPT model(m.config);
  model.eval();
  const weft::NoGrad no_grad;
  const int64_t tokens = std::min<int64_t>(m.config.block_size, 256);
  const int64_t bytes = bytes_of_token(model, weights == "int8");
  bench::Report report("generate", setup);
  for (const int64_t batch : {1, 8}) {
    double seconds = 1e300, bandwidth = 0;
    generate(model, batch, tokens);
    const double start = bench::seconds();
    for (int round = 0; round < fewest_rounds || bench::seconds() - start < setup.seconds; ++round) {
      bandwidth =
          std::max(bandwidth, bench::read_bandwidth(bytes, 0, std::max<int64_t>(1, sample_bytes / bytes)));
      const double before = bench::seconds();
      generate(model, batch, tokens);
      seconds = std::min(seconds, bench::seconds() - before);
    }
    const double limit = bandwidth * 1e9 / static_cast<double>(bytes);
    const double rate = static_cast<double>(batch * (tokens - 1)) / seconds;
    report.add({{"model", m.name},
                {"weights", weights},
                {"batch", batch},
                {"tokens", tokens},
                {"tokens_per_second", rate},
                {"weights_read_per_second", limit},
                {"of_reading", rate / static_cast<double>(batch) / limit}});
  }
  report.finish();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Generation");
  bench::Setup setup;
  std::string name = "nano", weights = "float32";
  bench::add_options(app, setup);
  bench::add_model(app, name);
  app.add_option("--weights", weights, "float32 or int8")->check(CLI::IsMember({"float32", "int8"}));
  CLI11_PARSE(app, argc, argv);
  return bench::run(setup, [&] { measure(bench::model_named(name), weights, setup); });
}
