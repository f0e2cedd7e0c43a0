#include <weft/lib/base/math.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/movement.h>
#include <weft/lib/kernels/products/matmul.h>
#include <weft/lib/kernels/reduce.h>
#include <weft/lib/kernels/updates/updates.h>
#include <weft/optim/adam.h>
#include <weft/optim/muon.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace weft {

const Settings<MuonOptions>& MuonOptions::settings() {
  using O = MuonOptions;
  static const Settings<O> all = {
      Field(&O::lr, "lr", 0.0, math::infinity, "learning rate"),
      Field(&O::weight_decay, "weight_decay", 0.0, math::infinity, "of parameters of two or more axes"),
      Field(&O::beta1, "beta1", 0.0, 1.0, "decay of the mean gradient"),
      Field(&O::beta2, "beta2", 0.0, 1.0, "decay of the mean squared gradient").in_runs(0.99),
      Field(&O::eps, "eps", 0.0, math::infinity, "added to what is divided by"),
      Field(&O::momentum, "momentum", 0.0, 1.0, "of past gradients"),
      Field(&O::nesterov, "nesterov", "looks ahead"),
      Field(&O::ns_steps, "ns_steps", 0, 99, "Newton-Schulz steps"),
      Field(&O::match_rms_adamw, "match_rms_adamw", "matrices move as much as with adamw at the same rate"),
      Field(&O::adam_eps, "adam_eps", 0.0, math::infinity, "eps of adamw, for all that is no matrix")};
  return all;
}

using kernels::Binary;

Muon::Muon(std::vector<ParameterGroup> groups, MuonOptions o)
    : Optimizer(std::move(groups), o.lr, o.weight_decay, {"momentum", "m", "v"}), options_(std::move(o)) {
  MuonOptions::settings().check("Muon", options_);
  // The default is of names that a model may have or not.
  if (options_.adamw != MuonOptions().adamw) check_patterns("Muon: adamw", parameters(), options_.adamw);
}

std::vector<std::optional<Shape>> Muon::slot_shapes(const NamedTensor& p) const {
  const bool left = std::any_of(options_.adamw.begin(), options_.adamw.end(),
                                [&](const std::string& pattern) { return matches(pattern, p.name); });
  const Shape& shape = p.tensor.shape();
  if (shape.rank() == 2 && !left) return {shape, std::nullopt, std::nullopt};
  return {std::nullopt, shape, shape};
}

Array orthogonalized(const Array& matrix, int64_t steps, double eps) {
  constexpr double a = 3.4445, b = -4.775, c = 2.0315;
  const bool tall = matrix.dim(0) > matrix.dim(1);
  const auto transposed = [](const Array& x) { return kernels::permute(x, std::array{1, 0}); };
  Array x = tall ? transposed(matrix) : matrix.copy();
  kernels::scale_into(x, 1.0 / std::max(eps, std::sqrt(kernels::squared_norm(x))));
  for (int64_t i = 0; i < steps; ++i) {
    Array gram = kernels::matmul(x, x, false, true), polynomial = kernels::matmul(gram, gram);
    kernels::scale_into(polynomial, c);
    kernels::scale_into(gram, b);
    kernels::add_into(polynomial, gram);
    const Array change = kernels::matmul(polynomial, x);
    kernels::scale_into(x, a);
    kernels::add_into(x, change);
  }
  return tall ? transposed(x) : x;
}

void Muon::update(const ParameterUpdate& u) {
  Array& momentum = u.slots[0];
  if (!momentum.defined()) return adamw_update(u, options_.beta1, options_.beta2, options_.adam_eps, 1);

  Array g = kernels::binary(Binary::mul, u.grad, u.grad_scale);
  kernels::lerp_into(momentum, g, 1 - options_.momentum);
  if (options_.nesterov) kernels::lerp_into(g, momentum, options_.momentum);
  Array step = orthogonalized(options_.nesterov ? g : momentum, options_.ns_steps, options_.eps);
  const double rows = static_cast<double>(u.parameter.dim(0)),
               columns = static_cast<double>(u.parameter.dim(1));
  const double ratio = options_.match_rms_adamw ? 0.2 * std::sqrt(std::max(rows, columns))
                                                : std::sqrt(std::max(1.0, rows / columns));
  kernels::scale_into(step, -u.lr * ratio);
  kernels::scale_into(u.parameter, 1 - u.lr * u.weight_decay);
  kernels::add_into(u.parameter, step);
}

}  // namespace weft
