#include <weft/lib/base/math.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/reduce.h>
#include <weft/lib/kernels/updates/updates.h>
#include <weft/optim/adafactor.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace weft {

const Settings<AdafactorOptions>& AdafactorOptions::settings() {
  using O = AdafactorOptions;
  static const Settings<O> all = {
      Field(&O::lr, "lr", 0.0, math::infinity, "learning rate"),
      Field(&O::weight_decay, "weight_decay", 0.0, math::infinity, "of parameters of two or more axes"),
      Field(&O::beta2_decay, "beta2_decay", -math::infinity, math::infinity,
            "power of the step that the second moments follow"),
      Field(&O::eps1, "eps1", 0.0, math::infinity,
            "least squared gradient; 0 is the distance of 1 to the next number"),
      Field(&O::eps2, "eps2", 0.0, math::infinity, "least root mean square of a parameter"),
      Field(&O::d, "d", 1.0, math::infinity, "greatest root mean square of an update")};
  return all;
}

using kernels::Binary;

namespace {}

Adafactor::Adafactor(std::vector<ParameterGroup> groups, AdafactorOptions o)
    : Optimizer(std::move(groups), o.lr, o.weight_decay, {"row", "column", "variance"}), options_(o) {
  if (!(o.beta2_decay <= 0))
    fail<ValueError>("Adafactor: beta2_decay = ", o.beta2_decay, " is not a number up to 0");
  AdafactorOptions::settings().check("Adafactor", o);
}

std::vector<std::optional<Shape>> Adafactor::slot_shapes(const NamedTensor& p) const {
  const Shape& shape = p.tensor.shape();
  if (shape.rank() < 2) return {std::nullopt, std::nullopt, shape};
  std::vector<int64_t> row(shape.begin(), shape.end()), column = row;
  row.back() = 1;
  column[column.size() - 2] = 1;
  return {Shape(row), Shape(column), std::nullopt};
}

void Adafactor::update(const ParameterUpdate& u) {
  if (u.parameter.size() == 0) return;
  const double t = static_cast<double>(u.step), n = static_cast<double>(u.parameter.size());
  const double weight = math::pow(t, options_.beta2_decay), rho = std::min(u.lr, 1 / std::sqrt(t));
  const double alpha = std::max(options_.eps2, std::sqrt(kernels::squared_norm(u.parameter) / n)) * rho;
  const double keep = 1 - u.lr * u.weight_decay;
  const double type_eps = u.parameter.dtype() == float32
                              ? static_cast<double>(std::numeric_limits<float>::epsilon())
                              : std::numeric_limits<double>::epsilon();
  const double eps1 = options_.eps1 > 0 ? options_.eps1 : type_eps, floor = eps1 * eps1;
  const auto rate = [&](double squared_norm) {
    return alpha / std::max(1.0, std::sqrt(squared_norm / n) / options_.d);
  };

  if (u.parameter.rank() >= 2) {
    Array &row = u.slots[0], &column = u.slots[1];
    const kernels::FactoredMoments now = kernels::mean_squares(u.grad, u.grad_scale);
    kernels::lerp_into(row, now.rows, weight);
    kernels::lerp_into(column, now.columns, weight);
    Array mean = kernels::sum(row, std::array{-2}, true);
    kernels::scale_into(mean, 1.0 / static_cast<double>(u.parameter.dim(-2)));
    // The division comes first: the product of two tiny moments would vanish.
    const Array share = kernels::binary(Binary::div, row, kernels::clamp(mean, eps1, math::infinity));
    const double norm = kernels::factored_squared_norm(u.grad, {share, column}, u.grad_scale, floor);
    kernels::adafactor_update(u.parameter, u.grad, {share, column},
                              {.keep = keep, .rate = rate(norm), .grad_scale = u.grad_scale, .floor = floor});
    return;
  }
  Array& variance = u.slots[2];
  const Array g = kernels::binary(Binary::mul, u.grad, u.grad_scale);
  kernels::lerp_into(variance, kernels::unary(kernels::Unary::square, g), weight);
  const Array root = kernels::unary(kernels::Unary::sqrt, kernels::clamp(variance, floor, math::infinity));
  Array step = kernels::binary(Binary::div, g, root);
  kernels::scale_into(step, -rate(kernels::squared_norm(step)));
  kernels::scale_into(u.parameter, keep);
  kernels::add_into(u.parameter, step);
}

}  // namespace weft
