// OpenBLAS beside us, with the kernels that serve it best.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace bench {

/// a (m, k) b (k, n), each stored transposed if told so.
struct Product {
  int64_t m, n, k;
  bool transpose_a, transpose_b;
};

/// The program openblas_gemm, running.
class OpenBlas {
 public:
  /// With the kernels for `core_type`; empty: those that OpenBLAS takes of its own.
  OpenBlas(const std::string& core_type, int threads);
  ~OpenBlas();
  OpenBlas(const OpenBlas&) = delete;
  OpenBlas& operator=(const OpenBlas&) = delete;

  /// The core type that it took.
  const std::string& core() const { return core_; }
  /// Its version, and how it was built.
  const std::string& config() const { return config_; }
  /// The shortest time of one product in `budget` seconds.
  double seconds(const Product& product, double budget) const;

 private:
  std::string line() const;

  FILE *to_ = nullptr, *from_ = nullptr;
  int process_ = 0;
  std::string core_, config_;
};

/// With the kernels of its own choice, for AVX-512 (SkylakeX) and for AVX2 (Haswell), as far as this
/// processor runs them: it does not know processors newer than itself, and takes older kernels for them.
std::vector<std::unique_ptr<OpenBlas>> start_openblas(int threads);

}  // namespace bench
