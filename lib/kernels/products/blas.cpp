// The BLAS that products in double go to. It is not linked, but loaded by the first of them: OpenBLAS reserves memory for
// each thread when it is loaded, and waits for ever where it gets none.
#include <dlfcn.h>
#include <sys/resource.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>

#define cblas_dgemm weft_blas_dgemm
#include <xflens/cxxblas/drivers/cblas.h>
#undef cblas_dgemm

namespace weft {
namespace {

using Dgemm = decltype(&weft_blas_dgemm);

/// What OpenBLAS reserves at most, and its own code.
constexpr rlim_t needed = rlim_t{1} << 30;

Dgemm loaded() {
  rlimit addresses{};
  if (::getrlimit(RLIMIT_AS, &addresses) == 0 && addresses.rlim_cur < needed)
    fail<MemoryError>(
        "products in float64 need OpenBLAS, which reserves addresses for each thread, but the limit is ",
        addresses.rlim_cur >> 20, " MiB (ulimit -v); raise it to ", needed >> 20);
  void* library = nullptr;
  for (const char* name : {WEFT_BLAS_FILE, "libopenblas.so.0"})
    if (library == nullptr) library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
  void* const found = library != nullptr ? ::dlsym(library, "cblas_dgemm") : nullptr;
  if (found == nullptr)
    fail<FileError>("libopenblas.so.0: products in float64 need it, but it cannot be loaded (", ::dlerror(),
                    "); apt install libopenblas0-openmp");
  return reinterpret_cast<Dgemm>(found);
}

}  // namespace
}  // namespace weft

extern "C" void weft_blas_dgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE transA, CBLAS_TRANSPOSE transB,
                                CBLAS_INT m, CBLAS_INT n, CBLAS_INT k, double alpha, const double* A,
                                CBLAS_INT ldA, const double* B, CBLAS_INT ldB, double beta, double* C,
                                CBLAS_INT ldC) {
  static const weft::Dgemm dgemm = weft::loaded();
  dgemm(order, transA, transB, m, n, k, alpha, A, ldA, B, ldB, beta, C, ldC);
}
