#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/reduce.h>
#include <weft/optim/clip.h>

#include <cmath>

namespace weft {

double grad_norm(const std::vector<NamedTensor>& parameters) {
  double total = 0;
  for (const auto& [name, tensor] : parameters) {
    if (const Tensor grad = tensor.grad(); grad.defined()) total += kernels::squared_norm(grad.value());
  }
  return std::sqrt(total);
}

double clip_grad_norm(const std::vector<NamedTensor>& parameters, double max_norm) {
  if (!(max_norm > 0)) fail<ValueError>("clip_grad_norm: max_norm ", max_norm, " is not positive");
  const double norm = grad_norm(parameters);
  const double factor = max_norm / (norm + 1e-6);
  if (factor >= 1) return norm;
  for (NamedTensor p : parameters) {
    if (!p.tensor.grad().defined()) continue;
    Array grad = p.tensor.grad().value();
    kernels::scale_into(grad, factor);
    p.tensor.set_grad(grad);
  }
  return norm;
}

void clip_grad_value(const std::vector<NamedTensor>& parameters, double limit) {
  if (!(limit > 0)) fail<ValueError>("clip_grad_value: the limit ", limit, " is not positive");
  for (NamedTensor p : parameters) {
    if (const Tensor grad = p.tensor.grad(); grad.defined())
      p.tensor.set_grad(kernels::clamp(grad.value(), -limit, limit));
  }
}

std::string first_nonfinite_grad(const std::vector<NamedTensor>& parameters) {
  for (const auto& [name, tensor] : parameters) {
    if (const Tensor grad = tensor.grad(); grad.defined() && !grad.value().all_finite()) return name;
  }
  return {};
}

}  // namespace weft
