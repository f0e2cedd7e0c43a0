// OpenBLAS beside us, with the kernels that serve it best.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "measure.h"

namespace bench {

/// a (m, k) b (k, n), each stored transposed if told so.
struct Product {
  int64_t m, n, k;
  bool transpose_a, transpose_b;
  int64_t copies = 1;  ///< of a, b and the result, which the runs take in turns
};

/// The memory of a product.
class Operands {
 public:
  explicit Operands(const Product& x) {
    for (int64_t i = 0; i < x.copies; ++i)
      copies_.push_back({numbers(x.m * x.k), numbers(x.k * x.n), Floats(static_cast<size_t>(x.m * x.n))});
  }
  struct Copy {
    Floats a, b, c;
  };
  Copy& next() { return copies_[turn_++ % copies_.size()]; }

 private:
  std::vector<Copy> copies_;
  size_t turn_ = 0;
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
