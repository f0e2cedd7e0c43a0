// Float products at the shapes of the three models of bench_step, every transposition, batched and of one
// row, beside OpenBLAS.
//   build/bin/bench_matmul [--threads N] [--only TEXT] [--cold] [--seconds S] [--json]
// Of products: GFLOP/s, the fraction of the multiply-add peak, measured anew before and after each row since
// it wanders with the clock, and the best of OpenBLAS, in turns with ours; of one-row products: GB/s of
// weights and the fraction of the rate at which the same threads merely read as many bytes.
// With --cold, of the products alone: each run takes the next of so many copies of its operands that the caches have kept
// nothing of them, as in a training step.
#include <weft/lib/kernels/products/matmul.h>
#include <weft/lib/machine/caches.h>

#include <algorithm>
#include <string>
#include <vector>

#include "openblas.h"
#include "options.h"

namespace {

using bench::numbers;
using weft::kernels::MatrixView;

constexpr int rounds = 3;  ///< of both sides in turn, for each figure

struct Shape {
  const char* name;
  int64_t m, n, k;
  int64_t batch = 1;
};

// N tokens of a batch: y = x W^T is (N, O, I), its dx (N, I, O), its dW (O, I, N).
const Shape products[] = {{"square 1024", 1024, 1024, 1024},  {"square 2048", 2048, 2048, 2048},
                          {"nano qkv", 768, 384, 128},        {"nano fc", 768, 512, 128},
                          {"nano out", 768, 128, 512},        {"nano dW out", 128, 512, 768},
                          {"nano logits", 768, 65, 128},      {"baby qkv", 4096, 1152, 384},
                          {"baby proj", 4096, 384, 384},      {"baby fc", 4096, 1536, 384},
                          {"baby out", 4096, 384, 1536},      {"baby dW fc", 1536, 384, 4096},
                          {"baby logits", 4096, 65, 384},     {"gpt2 qkv", 256, 2304, 768},
                          {"gpt2 proj", 256, 768, 768},       {"gpt2 fc", 256, 3072, 768},
                          {"gpt2 out", 256, 768, 3072},       {"gpt2 dW fc", 3072, 768, 256},
                          {"gpt2 logits", 256, 50304, 768},   {"gpt2 dx logits", 256, 768, 50304},
                          {"gpt2 dW logits", 50304, 768, 256}};

const Shape batches[] = {{"48 x scores 64", 64, 64, 32, 48},
                         {"48 x values 64", 64, 32, 64, 48},
                         {"96 x scores 256", 256, 256, 64, 96},
                         {"96 x values 256", 256, 64, 256, 96}};

const Shape rows[] = {{"row nano fc", 1, 512, 128},       {"row baby fc", 1, 1536, 384},
                      {"row gpt2 fc", 1, 3072, 768},      {"row gpt2 out", 1, 768, 3072},
                      {"row gpt2 logits", 1, 50304, 768}, {"8 rows gpt2 fc", 8, 3072, 768}};

double gflop(const Shape& x) {
  return 2e-9 * static_cast<double>(x.batch) * static_cast<double>(x.m) * static_cast<double>(x.n) *
         static_cast<double>(x.k);
}

std::string name_of(const Shape& x, bool ta, bool tb) {
  return std::string(x.name) + (ta ? " a^T" : "") + (tb ? " b^T" : "");
}

class Bench {
 public:
  Bench(const bench::Setup& setup, bool cold)
      : setup_(setup),
        cold_(cold),
        openblas_(bench::start_openblas(setup.threads)),
        report_("matmul", setup) {
    if (cold_) report_.note("cold", true);
    report_.note("openblas", openblas_.front()->config());
    nlohmann::ordered_json cores;
    for (const auto& openblas : openblas_) cores.push_back(openblas->core());
    report_.note("openblas_core_types", cores);
  }

  void product(const Shape& x) {
    const int64_t bytes = 4 * (x.m * x.k + x.k * x.n + x.m * x.n),
                  beyond = std::clamp<int64_t>(2 * weft::processor_caches().third, 64 << 20, 1 << 30),
                  copies = cold_ ? beyond / bytes + 2 : 1;
    bench::Operands operands({x.m, x.n, x.k, false, false, copies});
    for (int flags = 0; flags < 4; ++flags) {
      const bool ta = flags & 1, tb = flags & 2;
      double peak = bench::fma_peak(0.02);
      double ours = 1e300, theirs = 1e300;
      std::string core;
      for (int round = 0; round < rounds; ++round) {
        ours = std::min(ours, bench::best_seconds(budget(), [&] {
                          auto& [a, b, c] = operands.next();
                          weft::kernels::gemm(x.m, x.n, x.k, {a.data(), ta ? 1 : x.k, ta ? x.m : 1},
                                              MatrixView<float>{b.data(), tb ? 1 : x.n, tb ? x.k : 1},
                                              c.data(), x.n, false, nullptr, !cold_);
                        }));
        for (const auto& openblas : openblas_) {
          const double time = openblas->seconds({x.m, x.n, x.k, ta, tb, copies}, budget());
          if (time < theirs) theirs = time, core = openblas->core();
        }
      }
      peak = std::max(peak, bench::fma_peak(0.02));
      report_.add({{"product", name_of(x, ta, tb)},
                   {"gflops", gflop(x) / ours},
                   {"peak_gflops", peak},
                   {"fraction_of_peak", gflop(x) / ours / peak},
                   {"openblas_gflops", gflop(x) / theirs},
                   {"ratio", theirs / ours},
                   {"openblas_core_type", core}});
    }
  }

  void batched(const Shape& x) {
    for (const bool tb : {false, true}) {
      const weft::Array a = weft::Array::ones({x.batch, x.m, x.k});
      const weft::Array b =
          weft::Array::ones(tb ? weft::Shape{x.batch, x.n, x.k} : weft::Shape{x.batch, x.k, x.n});
      double peak = bench::fma_peak(0.02);
      const double time =
          bench::best_seconds(setup_.seconds, [&] { weft::kernels::matmul(a, b, false, tb); });
      peak = std::max(peak, bench::fma_peak(0.02));
      report_.add({{"batched", name_of(x, false, tb)},
                   {"gflops", gflop(x) / time},
                   {"peak_gflops", peak},
                   {"fraction_of_peak", gflop(x) / time / peak}});
    }
  }

  void row(const Shape& x) {
    const bench::Floats a = numbers(x.m * x.k), b = numbers(x.k * x.n);
    bench::Floats c(static_cast<size_t>(x.m * x.n));
    const int64_t bytes = x.n * x.k * 4;
    for (const bool tb : {false, true}) {
      const MatrixView<float> left{a.data(), x.k, 1}, right{b.data(), tb ? 1 : x.n, tb ? x.k : 1};
      double reading = 0, time = 1e300;
      for (int round = 0; round < rounds; ++round) {
        reading = std::max(reading, bench::read_bandwidth(bytes, budget()));
        time = std::min(time, bench::best_seconds(budget(), [&] {
                          weft::kernels::gemm(x.m, x.n, x.k, left, right, c.data(), x.n, false);
                        }));
      }
      const double rate = 1e-9 * static_cast<double>(bytes) / time;
      report_.add({{"rows", name_of(x, false, tb)},
                   {"microseconds", 1e6 * time},
                   {"gb_per_second", rate},
                   {"reading", reading},
                   {"fraction_of_reading", rate / reading}});
    }
  }

  void all(const std::string& only) {
    const auto wanted = [&](const Shape& x) { return std::string(x.name).find(only) != std::string::npos; };
    for (const Shape& x : products)
      if (wanted(x)) product(x);
    for (const Shape& x : batches)
      if (wanted(x) && !cold_) batched(x);
    for (const Shape& x : rows)
      if (wanted(x) && !cold_) row(x);
    report_.finish();
  }

 private:
  double budget() const { return setup_.seconds / rounds; }

  const bench::Setup& setup_;
  bool cold_;
  std::vector<std::unique_ptr<bench::OpenBlas>> openblas_;
  bench::Report report_;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Float products, beside OpenBLAS");
  bench::Setup setup;
  std::string only;
  bool cold = false;
  bench::add_options(app, setup);
  app.add_option("--only", only, "Only the shapes whose names contain this");
  app.add_flag("--cold", cold, "Operands that no cache holds");
  CLI11_PARSE(app, argc, argv);
  return bench::run(setup, [&] { Bench(setup, cold).all(only); });
}
