// Float products at the shapes of the three models of bench_step, every transposition, batched and of one
// row, beside OpenBLAS.
//   build/bin/bench_matmul [--threads N] [--only TEXT] [--json]
// Of products: GFLOP/s and the fraction of the multiply-add peak; of one-row products: GB/s of weights and
// the fraction of the rate at which the same threads merely read as many bytes.
#include <unistd.h>
#include <weft/lib/kernels/matmul.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "options.h"

// Benchmarks may not include BLAS, which is the ground's private matter; this is its one function that they
// compare with.
extern "C" void cblas_sgemm(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                            const float* a, int a_row, const float* b, int b_row, float beta, float* c,
                            int c_row);

namespace {

using weft::kernels::MatrixView;

struct Shape {
  const char* name;
  int64_t m, n, k;
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

const Shape batched[] = {{"48 x scores 64", 64, 64, 32},
                         {"48 x values 64", 64, 32, 64},
                         {"96 x scores 256", 256, 256, 64},
                         {"96 x values 256", 256, 64, 256}};

const Shape rows[] = {{"row nano fc", 1, 512, 128},       {"row baby fc", 1, 1536, 384},
                      {"row gpt2 fc", 1, 3072, 768},      {"row gpt2 out", 1, 768, 3072},
                      {"row gpt2 logits", 1, 50304, 768}, {"8 rows gpt2 fc", 8, 3072, 768}};

std::vector<float> numbers(int64_t count) {
  std::vector<float> x(static_cast<size_t>(count));
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 7919 % 1000) / 1000.0f - 0.5f;
  return x;
}

double gflop(const Shape& x) {
  return 2e-9 * static_cast<double>(x.m) * static_cast<double>(x.n) * static_cast<double>(x.k);
}

void measure_product(const Shape& x, const bench::Setup& setup, bench::Report& report) {
  const std::vector<float> a = numbers(x.m * x.k), b = numbers(x.k * x.n);
  std::vector<float> c(static_cast<size_t>(x.m * x.n));
  for (int flags = 0; flags < 4; ++flags) {
    const bool ta = flags & 1, tb = flags & 2;
    const MatrixView<float> left{a.data(), ta ? 1 : x.k, ta ? x.m : 1},
        right{b.data(), tb ? 1 : x.n, tb ? x.k : 1};
    const double ours = gflop(x) / bench::best_seconds(setup.seconds, [&] {
                          weft::kernels::gemm(x.m, x.n, x.k, left, right, c.data(), x.n, false);
                        });
    const double blas =
        gflop(x) / bench::best_seconds(setup.seconds, [&] {
          const auto size = [](int64_t value) { return static_cast<int>(value); };
          cblas_sgemm(101, ta ? 112 : 111, tb ? 112 : 111, size(x.m), size(x.n), size(x.k), 1.0f, a.data(),
                      size(ta ? x.m : x.k), b.data(), size(tb ? x.k : x.n), 0.0f, c.data(), size(x.n));
        });
    report.add({{"product", std::string(x.name) + (ta ? " a^T" : "") + (tb ? " b^T" : "")},
                {"gflops", ours},
                {"fraction_of_peak", ours / setup.peak},
                {"openblas_gflops", blas},
                {"ratio", ours / blas}});
  }
}

void measure_batched(const Shape& x, const bench::Setup& setup, bench::Report& report) {
  const int64_t batch = std::atoi(x.name);
  for (const bool tb : {false, true}) {
    const weft::Array a = weft::Array::ones({batch, x.m, x.k});
    const weft::Array b = weft::Array::ones(tb ? weft::Shape{batch, x.n, x.k} : weft::Shape{batch, x.k, x.n});
    const double time = bench::best_seconds(setup.seconds, [&] { weft::kernels::matmul(a, b, false, tb); });
    const double rate = gflop(x) * static_cast<double>(batch) / time;
    report.add({{"batched", std::string(x.name) + (tb ? " b^T" : "")},
                {"gflops", rate},
                {"fraction_of_peak", rate / setup.peak}});
  }
}

void measure_rows(const Shape& x, const bench::Setup& setup, bench::Report& report) {
  const std::vector<float> a = numbers(x.m * x.k), b = numbers(x.k * x.n);
  std::vector<float> c(static_cast<size_t>(x.m * x.n));
  const int64_t bytes = x.n * x.k * 4;
  const double reading = bench::read_bandwidth(bytes);
  for (const bool tb : {false, true}) {
    const MatrixView<float> left{a.data(), x.k, 1}, right{b.data(), tb ? 1 : x.n, tb ? x.k : 1};
    const double time = bench::best_seconds(
        setup.seconds, [&] { weft::kernels::gemm(x.m, x.n, x.k, left, right, c.data(), x.n, false); });
    const double rate = 1e-9 * static_cast<double>(bytes) / time;
    report.add({{"rows", std::string(x.name) + (tb ? " b^T" : "")},
                {"microseconds", 1e6 * time},
                {"gb_per_second", rate},
                {"fraction_of_reading", rate / reading}});
  }
}

}  // namespace

int main(int argc, char** argv) {
  // OpenBLAS 0.3.21 does not know newer processors and takes a kernel without AVX-512; it reads this when it
  // is loaded.
  if (!std::getenv("OPENBLAS_CORETYPE") && __builtin_cpu_supports("avx512f")) {
    setenv("OPENBLAS_CORETYPE", "SkylakeX", 1);
    execv("/proc/self/exe", argv);
  }
  CLI::App app("Float products, beside OpenBLAS");
  bench::Setup setup;
  std::string only;
  bench::add_options(app, setup);
  app.add_option("--only", only, "Only the shapes whose names contain this");
  CLI11_PARSE(app, argc, argv);
  if (setup.threads > 0 && !std::getenv("OMP_NUM_THREADS")) {  // for OpenBLAS, which asks OpenMP
    setenv("OMP_NUM_THREADS", std::to_string(setup.threads).c_str(), 1);
    execv("/proc/self/exe", argv);
  }
  setup.begin();
  weft::with_thread_team([&] {
    bench::Report report("matmul", setup);
    const auto wanted = [&](const Shape& x) { return std::string(x.name).find(only) != std::string::npos; };
    for (const Shape& x : products)
      if (wanted(x)) measure_product(x, setup, report);
    for (const Shape& x : batched)
      if (wanted(x)) measure_batched(x, setup, report);
    for (const Shape& x : rows)
      if (wanted(x)) measure_rows(x, setup, report);
    report.finish();
  });
}
