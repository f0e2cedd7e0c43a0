// Causal attention of 6 heads of 64: time, and memory beyond inputs, outputs and gradients.
//   build/bin/bench_attention [--tokens N...] [--threads N] [--json]
#include <weft/lib/kernels/fused/attention.h>
#include <weft/lib/machine/memory.h>

#include <cmath>
#include <vector>

#include "options.h"

namespace {

constexpr int64_t heads = 6, width = 64;

void measure(int64_t tokens, const bench::Setup& setup, bench::Report& report) {
  using weft::kernels::HeadView;
  const size_t count = static_cast<size_t>(heads * tokens * width);
  bench::Floats q(count), k(count), v(count), d_out(count), out(count), dq(count), dk(count), dv(count);
  for (size_t i = 0; i < count; ++i) {
    q[i] = static_cast<float>(i * 7919 % 1000) / 500.0f - 1.0f;
    k[i] = static_cast<float>(i * 104729 % 1000) / 500.0f - 1.0f;
    v[i] = d_out[i] = static_cast<float>(i * 1299709 % 1000) / 500.0f - 1.0f;
  }
  bench::Floats lse(static_cast<size_t>(heads * tokens));
  // (B, T, H * D), as the projections leave it.
  const auto read = [&](const bench::Floats& x) {
    return HeadView<const float>{x.data(), tokens * heads * width, width, heads * width};
  };
  const auto write = [&](bench::Floats& x) {
    return HeadView<float>{x.data(), tokens * heads * width, width, heads * width};
  };
  const weft::kernels::AttentionProblem problem{.B = 1,
                                                .H = heads,
                                                .T = tokens,
                                                .S = tokens,
                                                .D = width,
                                                .scale = 1 / std::sqrt(static_cast<double>(width)),
                                                .causal = true};
  static const size_t before = weft::memory_stats().in_use;  // the threads keep their scratch
  const double forward = bench::best_seconds(setup.seconds, [&] {
    weft::kernels::attention(problem, read(q), read(k), read(v), write(out), lse.data());
  });
  const double backward = bench::best_seconds(setup.seconds, [&] {
    weft::kernels::attention_grad(problem, read(q), read(k), read(v), read(out), lse.data(), read(d_out),
                                  write(dq), write(dk), write(dv), nullptr);
  });
  const double pairs = static_cast<double>(tokens) * static_cast<double>(tokens + 1) / 2;
  const double gflop = 4e-9 * pairs * heads * width;  // two products; backward has five
  report.add({{"tokens", tokens},
              {"forward_ms", 1e3 * forward},
              {"forward_of_peak", gflop / forward / setup.peak},
              {"backward_ms", 1e3 * backward},
              {"backward_of_peak", 2.5 * gflop / backward / setup.peak},
              {"extra_mb", static_cast<double>(weft::memory_stats().peak - before) / 1e6}});
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Attention");
  bench::Setup setup;
  std::vector<int64_t> tokens{1024, 2048, 4096, 8192};
  bench::add_options(app, setup);
  app.add_option("--tokens", tokens, "Lengths")->check(CLI::Range(1, 1 << 20));
  CLI11_PARSE(app, argc, argv);
  return bench::run(setup, [&] {
    bench::Report report("attention", setup);
    for (const int64_t length : tokens) measure(length, setup, report);
    report.finish();
  });
}
