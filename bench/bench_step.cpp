// One training step, and the memory it takes.
//   build/bin/bench_step --model nano|baby|gpt2 [--threads N] [--steps K] [--no-optimizer] [--dtype float32|bfloat16]
//                    [--json]
#include <vector>

#include "memory.h"
#include "options.h"
#include "training.h"

namespace {

void measure(const bench::Model& m, int steps, bool with_optimizer, weft::DType dtype,
             const bench::Setup& setup) {
  bench::TrainingStep step(m, with_optimizer, dtype);
  step();
  step();
  std::vector<double> times;
  double loss = 0;
  for (int i = 0; i < steps; ++i) {
    const double start = bench::seconds();
    loss = step();
    times.push_back(bench::seconds() - start);
  }
  std::sort(times.begin(), times.end());
  const double best = times.front(), gflop = bench::step_gflop(m);
  bench::Report("step", setup)
      .finish_with_one({{"model", m.name},
                        {"threads", setup.threads},
                        {"steps", steps},
                        {"optimizer", with_optimizer},
                        {"dtype", weft::name_of(dtype)},
                        {"min_ms", 1e3 * best},
                        {"median_ms", 1e3 * times[times.size() / 2]},
                        {"tokens_per_second", static_cast<double>(m.batch * m.tokens) / best},
                        {"peak_rss_mb", bench::peak_rss_mb()},
                        {"peak_anonymous_mb", bench::peak_anonymous_mb()},
                        {"gflop_per_step", gflop},
                        {"fraction_of_peak", gflop / best / setup.peak},
                        {"loss", loss}});
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("One training step: forward, loss, backward, clip to 1, AdamW");
  bench::Setup setup;
  std::string name = "nano";
  int steps = 0;
  bool no_optimizer = false;
  bench::add_options(app, setup);
  bench::add_model(app, name);
  app.add_option("--steps", steps, "Steps after two to warm up (default: 200, 10, 8)")
      ->check(CLI::Range(1, 1 << 20));
  app.add_flag("--no-optimizer", no_optimizer, "Forward, loss and backward only");
  std::string dtype = "float32";
  app.add_option("--dtype", dtype, "What is computed with")->check(CLI::IsMember({"float32", "bfloat16"}));
  CLI11_PARSE(app, argc, argv);
  const bench::Model m = bench::model_named(name);
  return bench::run(setup, [&] {
    measure(m, steps > 0 ? steps : bench::default_steps(m), !no_optimizer,
            dtype == "bfloat16" ? weft::bfloat16 : weft::float32, setup);
  });
}
