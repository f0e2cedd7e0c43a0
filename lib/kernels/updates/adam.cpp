#include <weft/lib/base/math.h>
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/checks.h>
#include <weft/lib/kernels/elementwise/broadcast.h>
#include <weft/lib/kernels/updates/updates.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

namespace weft::kernels {

void adam_update(Array& parameter, const Array& grad, Array& m, Array& v, const AdamStep& step) {
  check_float("adam_update", "parameter", parameter);
  check_same("adam_update", "parameter", parameter, "grad", grad);
  check_same("adam_update", "parameter", parameter, "m", m);
  check_same("adam_update", "parameter", parameter, "v", v);
  const KernelScope profile("adam_update", 0, grad, parameter, parameter, m, m, v, v);
  const auto rounded = [](double x) { return static_cast<float>(x); };
  const isa::UpdateFunctions::Adam in_float{
      .beta1 = rounded(step.beta1),
      .rest1 = rounded(1 - step.beta1),
      .beta2 = rounded(step.beta2),
      .rest2 = rounded(1 - step.beta2),
      .eps = rounded(step.eps),
      .keep = rounded(1 - step.lr * step.decay),
      .l2 = rounded(step.l2),
      .grad_scale = rounded(step.grad_scale),
      .rate = rounded(step.lr / step.correction1),
      .root = rounded(1 / math::sqrt(step.correction2)),
  };
  float *values = parameter.mutable_data<float>(), *first = m.mutable_data<float>(),
        *second = v.mutable_data<float>();
  const float* slope = grad.data<float>();
  const auto update = isa::table().updates.adam;
  parallel_for(parameter.size(), elementwise_tile, [&](int64_t begin, int64_t end) {
    update(in_float, values + begin, slope + begin, first + begin, second + begin, end - begin);
  });
}

}  // namespace weft::kernels
