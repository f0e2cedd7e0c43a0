// The training step by the number of threads.
//   build/bin/bench_threads [--model nano|baby|gpt2] [--threads N] [--steps K] [--estimate N... | --beside SHARE]
//                           [--json]
// With --estimate, for machines that have so many cores: steps are traced on one thread, and their tiles are dealt out as
// the threads of a team would take them. Every tile takes as long as it did at best, so that caches and memory are as fast
// for each core as for one alone; beginning a loop takes what it takes with the threads at hand.
// With --beside, another process keeps the last core busy for that share of every 10 ms: `ideal` is what would be left if
// nobody ever waited for it, by the time of that core that it got.
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/lib/machine/loop_trace.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <vector>

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
  found.peak = bench::fma_peak(0.1);
  step();
  step();
  for (int i = 0; i < steps; ++i) {
    const double start = bench::seconds();
    step();
    found.seconds = std::min(found.seconds, bench::seconds() - start);
  }
  found.peak = std::max(found.peak, bench::fma_peak(0.1));
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

/// Seconds that a loop takes beyond its tiles, of which each thread in use has one: so long that all of them come.
double loop_seconds(double budget) {
  constexpr int loops = 1000;
  constexpr double tile = 10e-6;
  const double time = bench::best_seconds(budget, [] {
    for (int i = 0; i < loops; ++i)
      weft::parallel_for(weft::num_threads(), 1, [](int64_t, int64_t) {
        const double start = bench::seconds();
        while (bench::seconds() < start + tile) {
        }
      });
  });
  return std::max(0.0, time / loops - tile);
}

/// Several steps, cut for `threads` threads, on one: of each tile, and of what is no loop, the shortest time.
struct Traced {
  weft::LoopTimes loops;
  double outside = 1e300;
};

Traced traced(bench::TrainingStep& step, int steps, int threads) {
  weft::set_num_threads(threads);
  Traced best;
  for (int i = 0; i < steps; ++i) {
    weft::LoopTimes loops;
    const double start = bench::seconds();
    {
      const weft::LoopTrace trace(loops);
      step();
    }
    best.outside = std::min(best.outside, bench::seconds() - start - loops.seconds(1));
    if (i == 0) {
      best.loops = std::move(loops);
    } else {
      best.loops.keep_shorter(loops);
    }
  }
  return best;
}

void estimate(const bench::Model& m, int steps, const std::vector<int>& threads, const bench::Setup& setup) {
  bench::Report report("threads_estimate", setup);
  const double each_loop = setup.threads > 1 ? loop_seconds(setup.seconds) : 0;
  report.note("loop_us", 1e6 * each_loop);
  bench::TrainingStep step(m);
  step();
  step();
  const Traced one = traced(step, steps, 1);
  const double alone = one.outside + one.loops.seconds(1);
  for (const int count : threads) {
    const Traced x = traced(step, steps, count);
    const double seconds =
        x.outside + x.loops.seconds(count) + each_loop * static_cast<double>(x.loops.shared_loops());
    report.add({{"model", m.name},
                {"threads", count},
                {"estimated_ms", 1e3 * seconds},
                {"speed_up", alone / seconds},
                {"efficiency", alone / seconds / count},
                {"alone_ms", 1e3 * alone},
                {"outside_loops_ms", 1e3 * x.outside},
                {"loops", x.loops.shared_loops()}});
  }
  report.finish();
}

/// A process that keeps the last core that is granted busy for a share of every 10 ms. Forked before there are threads.
class BusyProcess {
 public:
  explicit BusyProcess(double share) : process_(fork()) {
    if (process_ < 0) throw std::runtime_error("no process to measure beside");
    if (process_ > 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    cpu_set_t cores, last;
    sched_getaffinity(0, sizeof cores, &cores);
    int core = CPU_SETSIZE - 1;
    while (core > 0 && !CPU_ISSET(core, &cores)) --core;
    CPU_ZERO(&last);
    CPU_SET(core, &last);
    sched_setaffinity(0, sizeof last, &last);
    while (true) {
      const double start = bench::seconds();
      while (bench::seconds() < start + 0.01 * share) {
      }
      if (share < 1) usleep(static_cast<useconds_t>(1e4 * (1 - share)));
    }
  }
  ~BusyProcess() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  BusyProcess(const BusyProcess&) = delete;
  BusyProcess& operator=(const BusyProcess&) = delete;

  void pause() const { kill(process_, SIGSTOP); }
  void go_on() const { kill(process_, SIGCONT); }
  /// Seconds of a core that it has taken.
  double taken() const {
    clockid_t clock;
    timespec time;
    if (clock_getcpuclockid(process_, &clock) != 0 || clock_gettime(clock, &time) != 0)
      throw std::runtime_error("the process beside is gone");
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }

 private:
  pid_t process_;
};

/// Steps in turns with and without it.
void measure_beside(const bench::Model& m, int steps, double share, const bench::Setup& setup,
                    const BusyProcess& busy) {
  bench::Report report("threads_beside", setup);
  bench::TrainingStep step(m);
  step();
  step();
  std::vector<double> alone, beside;
  double taken = 0, passed = 0;
  const auto timed = [&](std::vector<double>& times) {
    const double start = bench::seconds();
    step();
    times.push_back(bench::seconds() - start);
    return times.back();
  };
  for (int i = 0; i < steps; ++i) {
    busy.pause();
    timed(alone);
    busy.go_on();
    const double before = busy.taken();
    passed += timed(beside);
    taken += busy.taken() - before;
  }
  std::sort(alone.begin(), alone.end());
  std::sort(beside.begin(), beside.end());
  const size_t middle = alone.size() / 2;
  report.add({{"model", m.name},
              {"threads", setup.threads},
              {"share", share},
              {"taken", taken / passed},
              {"alone_ms", 1e3 * alone[middle]},
              {"beside_ms", 1e3 * beside[middle]},
              {"worst_ms", 1e3 * beside.back()},
              {"ratio", beside[middle] / alone[middle]},
              {"ideal", setup.threads / (setup.threads - taken / passed)}});
  report.finish();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The training step at 1 to N threads");
  bench::Setup setup;
  std::string name = "baby";
  int steps = 0;
  std::vector<int> estimated;
  double beside = 0;
  bench::add_options(app, setup);
  bench::add_model(app, name);
  app.add_option("--steps", steps, "Steps after two to warm up (default: 200, 10, 8)")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--estimate", estimated, "What so many threads would take, from a trace of one")
      ->check(CLI::Range(1, 1024));
  app.add_option("--beside", beside, "Beside a process that takes this share of a core")
      ->check(CLI::Range(0.01, 1.0))
      ->excludes("--estimate");
  CLI11_PARSE(app, argc, argv);
  const bench::Model m = bench::model_named(name);
  std::optional<BusyProcess> busy;
  if (beside > 0) busy.emplace(beside), busy->pause();
  if (steps == 0) steps = bench::default_steps(m);
  return bench::run(setup, [&] {
    if (busy) return measure_beside(m, steps, beside, setup, *busy);
    estimated.empty() ? measure(m, steps, setup) : estimate(m, steps, estimated, setup);
  });
}
