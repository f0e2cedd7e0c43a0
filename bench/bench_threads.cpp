// The training step by the number of threads.
//   build/bin/bench_threads [--model nano|baby|gpt2] [--threads N] [--steps K] [--json]
#include <weft/lib/machine/parallel.h>

#include "options.h"
#include "training.h"

namespace {

struct Figures {
  double seconds = 1e300;  ///< of the shortest step
  double peak = 0;         ///< of these threads, GFLOP/s
};

/// A model built and trained by `threads` threads.
Figures train(const bench::Model& m, int threads, int steps) {
  weft::set_num_threads(threads);
  Figures found;
  bench::TrainingStep step(m);
  step();
  step();
  for (int i = 0; i < steps; ++i) {
    const double start = bench::seconds();
    step();
    found.seconds = std::min(found.seconds, bench::seconds() - start);
  }
  found.peak = bench::fma_peak(0.1);
  return found;
}

void measure(const bench::Model& m, int steps, const bench::Setup& setup) {
  bench::Report report("threads", setup);
  double alone = 0;
  for (int threads = 1; threads <= setup.threads; ++threads) {
    const auto [seconds, peak] = train(m, threads, steps);
    if (threads == 1) alone = seconds;
    report.add({{"model", m.name},
                {"threads", threads},
                {"min_ms", 1e3 * seconds},
                {"speed_up", alone / seconds},
                {"efficiency", alone / seconds / threads},
                {"fraction_of_peak", bench::step_gflop(m) / seconds / peak}});
  }
  report.finish();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The training step at 1 to N threads");
  bench::Setup setup;
  std::string name = "baby";
  int steps = 0;
  bench::add_options(app, setup);
  bench::add_model(app, name);
  app.add_option("--steps", steps, "Steps after two to warm up (default: 200, 10, 8)")
      ->check(CLI::Range(1, 1 << 20));
  CLI11_PARSE(app, argc, argv);
  const bench::Model m = bench::model_named(name);
  return bench::run(setup, [&] { measure(m, steps > 0 ? steps : bench::default_steps(m), setup); });
}
