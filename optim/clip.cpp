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

double finite_grad_norm(const char* op, const std::vector<NamedTensor>& parameters, double scale) {
  const double norm = grad_norm(parameters) * scale;
  if (std::isfinite(norm)) return norm;
  const std::string name = first_nonfinite_grad(parameters);
  fail<NumericError>(op, ": the gradient of ", name.empty() ? "all parameters together" : "'" + name + "'",
                     " is not finite; nothing was updated");
}

double clip_grad_norm(const std::vector<NamedTensor>& parameters, double max_norm) {
  if (!(max_norm > 0)) fail<ValueError>("clip_grad_norm: max_norm ", max_norm, " is not positive");
  const double norm = finite_grad_norm("clip_grad_norm", parameters);
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
  std::vector<std::pair<Tensor, Array>> clipped;
  for (const auto& [name, tensor] : parameters) {
    const Tensor grad = tensor.grad();
    if (!grad.defined()) continue;
    clipped.emplace_back(tensor, kernels::clamp(grad.value(), -limit, limit));
    if (!clipped.back().second.all_finite())
      fail<NumericError>("clip_grad_value: the gradient of '", name, "' holds a NaN; nothing was updated");
  }
  for (auto& [tensor, grad] : clipped) tensor.set_grad(std::move(grad));
}

std::string first_nonfinite_grad(const std::vector<NamedTensor>& parameters) {
  for (const auto& [name, tensor] : parameters) {
    if (const Tensor grad = tensor.grad(); grad.defined() && !grad.value().all_finite()) return name;
  }
  return {};
}

}  // namespace weft
