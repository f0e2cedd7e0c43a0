#include <weft/lib/kernels/checks.h>
#include <weft/lib/kernels/elementwise/broadcast.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>
#include <weft/lib/xt.h>

#include <xtensor/xmath.hpp>
#include <xtensor/xnoalias.hpp>

namespace weft::kernels {

void add_into(Array& y, const Array& x) {
  check_same("add_into", "y", y, "x", x);
  const KernelScope profile("add_into", 0, x, y, y);
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
  visit_floating("scale_into", y.dtype(), [&]<class T>(T) {
    T* to = y.mutable_data<T>();
    parallel_for(y.size(), elementwise_tile, [&](int64_t begin, int64_t end) {
      auto product = as_xt_mutable(to + begin, end - begin);
      xt::noalias(product) = product * static_cast<T>(factor);
    });
  });
}

}  // namespace weft::kernels
