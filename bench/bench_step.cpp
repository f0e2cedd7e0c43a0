// One training step: forward, loss, backward, clip to 1, AdamW; no dropout, no bias.
//   build/bin/bench_step --model nano|baby|gpt2 [--threads N] [--steps K] [--json]
#include <sys/resource.h>
#include <weft/optim/adam.h>
#include <weft/optim/train_step.h>

#include <algorithm>
#include <cstdio>

#include "models.h"
#include "options.h"

namespace {

/// Ids without a pattern that the model could learn in a few steps.
weft::Array some_ids(const bench::Model& m, uint64_t stream) {
  weft::Array ids({m.batch, m.tokens}, weft::int64);
  int64_t* const values = ids.mutable_data<int64_t>();
  for (int64_t i = 0; i < ids.size(); ++i)
    values[i] =
        static_cast<int64_t>(weft::integer_at(weft::random_key(1, stream), 0, static_cast<uint64_t>(i),
                                              static_cast<uint64_t>(m.config.vocab_size)));
  return ids;
}

double peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024 / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("One training step");
  bench::Setup setup;
  std::string name = "nano";
  int steps = 0;
  bench::add_options(app, setup);
  app.add_option("--model", name, "nano, baby or gpt2")->check(CLI::IsMember({"nano", "baby", "gpt2"}));
  app.add_option("--steps", steps, "Steps after two to warm up (default: 200, 10, 8)")
      ->check(CLI::Range(1, 1 << 20));
  CLI11_PARSE(app, argc, argv);
  const bench::Model m = bench::model_named(name);
  if (steps == 0) steps = name == "nano" ? 200 : name == "baby" ? 10 : 8;
  setup.begin();

  const weft::RandomScope random({.seed = 1});
  weft::GPT model(m.config);
  weft::AdamW optimizer(
      weft::decay_matrices_only(model.parameters(), weft::AdamWOptions{.beta2 = 0.99, .weight_decay = 0.1}));
  const weft::Array inputs = some_ids(m, 1), targets = some_ids(m, 2);
  std::vector<double> times;
  double loss = 0;
  for (int step = -2; step < steps; ++step) {
    const double start = bench::seconds();
    const weft::Loss result = model.loss(inputs, targets);
    result.sum.backward();
    loss = result.mean().item();
    weft::train_step(optimizer, {.lr = 1e-3, .count = result.count, .max_norm = 1.0});
    if (step >= 0) times.push_back(bench::seconds() - start);
  }
  std::sort(times.begin(), times.end());
  const double best = times.front(), gflop = bench::step_gflop(m);

  bench::Report report("step", setup);
  report.add({{"model", name},
              {"threads", setup.threads},
              {"steps", steps},
              {"min_ms", 1e3 * best},
              {"median_ms", 1e3 * times[times.size() / 2]},
              {"tokens_per_second", static_cast<double>(m.batch * m.tokens) / best},
              {"peak_rss_mb", peak_rss_mb()},
              {"gflop_per_step", gflop},
              {"fraction_of_peak", gflop / best / setup.peak},
              {"loss", loss}});
  report.finish();
}
