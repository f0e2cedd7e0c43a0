#include <weft/lib/kernels/checks.h>
#include <weft/lib/kernels/elementwise/broadcast.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/floats.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>
#include <weft/lib/xt.h>

#include <xtensor/xmath.hpp>
#include <xtensor/xnoalias.hpp>

namespace weft::kernels {

void add_into(Array& y, const Array& x) {
  check_same("add_into", "y", y, "x", x);
  const KernelScope profile("add_into", 0, x, y, y);
  if (y.dtype() == bfloat16)
    return for_float_pieces<2>({&y, &x}, y, [](const auto& from, float* to, int64_t n) {
      for (int64_t i = 0; i < n; ++i) to[i] = from[0][i] + from[1][i];
    });
  visit_floating("add_into", y.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    parallel_for(y.size(), elementwise_tile, [&](int64_t begin, int64_t end) {
      auto sum = as_xt_mutable(to + begin, end - begin);
      xt::noalias(sum) = sum + as_xt(from + begin, end - begin);
    });
  });
}

void scale_into(Array& y, double factor) {
  const KernelScope profile("scale_into", 0, y, y);
  if (y.dtype() == bfloat16)
    return for_float_pieces<1>({&y}, y,
                               [by = static_cast<float>(factor)](const auto& from, float* to, int64_t n) {
                                 for (int64_t i = 0; i < n; ++i) to[i] = from[0][i] * by;
                               });
  visit_floating("scale_into", y.dtype(), [&]<class T>(T) {
    T* to = y.mutable_data<T>();
    parallel_for(y.size(), elementwise_tile, [&](int64_t begin, int64_t end) {
      auto product = as_xt_mutable(to + begin, end - begin);
      xt::noalias(product) = product * static_cast<T>(factor);
    });
  });
}

}  // namespace weft::kernels
