// OpenBLAS's product in a process of its own, so that the core type whose kernels it takes, which it reads
// when it is loaded (OPENBLAS_CORETYPE), can differ from one process to the next. bench_matmul starts it.
//
// Prints the core type and how it was built; then reads lines "transpose_a transpose_b m n k copies seconds" until
// the end, and answers each with the shortest time of one product, in seconds.
#include <cstdio>
#include <vector>

#include "openblas.h"

// Benchmarks may not include BLAS, which is the ground's private matter; these are its functions that
// they need.
extern "C" void cblas_sgemm(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                            const float* a, int a_row, const float* b, int b_row, float beta, float* c,
                            int c_row);
extern "C" char* openblas_get_corename();
extern "C" char* openblas_get_config();

int main() {
  std::printf("%s\n%s\n", openblas_get_corename(), openblas_get_config());
  std::fflush(stdout);
  int ta = 0, tb = 0, m = 0, n = 0, k = 0, copies = 0;
  double budget = 0;
  while (std::scanf("%d %d %d %d %d %d %lf", &ta, &tb, &m, &n, &k, &copies, &budget) == 7) {
    bench::Operands operands({m, n, k, ta != 0, tb != 0, copies});
    const double time = bench::best_seconds(budget, [&] {
      auto& [a, b, c] = operands.next();
      cblas_sgemm(101, ta ? 112 : 111, tb ? 112 : 111, m, n, k, 1.0f, a.data(), ta ? m : k, b.data(),
                  tb ? k : n, 0.0f, c.data(), n);
    });
    std::printf("%.17g\n", time);
    std::fflush(stdout);
  }
}
