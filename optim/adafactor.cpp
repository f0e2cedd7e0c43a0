#include <weft/lib/kernels/elementwise.h>
#include <weft/lib/kernels/reduce.h>
#include <weft/lib/kernels/updates.h>
#include <weft/lib/math.h>
#include <weft/optim/adafactor.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace weft {

using kernels::Binary;

namespace {

double root_mean_square(const Array& x) {
  return x.size() == 0 ? 0.0 : std::sqrt(kernels::squared_norm(x) / static_cast<double>(x.size()));
}

Array mean(const Array& x, int axis) {
  Array y = kernels::sum(x, std::array{axis}, true);
  kernels::scale_into(y, 1.0 / static_cast<double>(std::max<int64_t>(1, x.dim(axis))));
  return y;
}

}  // namespace

Adafactor::Adafactor(std::vector<ParameterGroup> groups, AdafactorOptions o)
    : Optimizer(std::move(groups), o.lr, o.weight_decay, {"row", "column", "variance"}), options_(o) {
  if (!(o.beta2_decay <= 0))
    fail<ValueError>("Adafactor: beta2_decay = ", o.beta2_decay, " is not a number up to 0");
  check_option("Adafactor", "eps1", o.eps1);
  check_option("Adafactor", "eps2", o.eps2);
  check_option("Adafactor", "d", o.d, 1);
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
  const double t = static_cast<double>(u.step);
  const double weight = math::pow(t, options_.beta2_decay), rho = std::min(u.lr, 1 / std::sqrt(t));
  const double alpha = std::max(options_.eps2, root_mean_square(u.parameter)) * rho;
  const double type_eps = u.parameter.dtype() == float32
                              ? static_cast<double>(std::numeric_limits<float>::epsilon())
                              : std::numeric_limits<double>::epsilon();
  const double eps1 = options_.eps1 > 0 ? options_.eps1 : type_eps;
  constexpr double infinity = std::numeric_limits<double>::infinity();

  const Array g = kernels::binary(Binary::mul, u.grad, u.grad_scale);
  const Array squares = kernels::unary(kernels::Unary::square, g);
  Array variance;
  if (u.parameter.rank() >= 2) {
    Array &row = u.slots[0], &column = u.slots[1];
    kernels::lerp_into(row, mean(squares, -1), weight);
    kernels::lerp_into(column, mean(squares, -2), weight);
    // The division comes first: the product of two tiny moments would vanish.
    variance = kernels::binary(
        Binary::mul, kernels::binary(Binary::div, row, kernels::clamp(mean(row, -2), eps1, infinity)),
        column);
  } else {
    kernels::lerp_into(u.slots[2], squares, weight);
    variance = u.slots[2];
  }
  const Array root = kernels::unary(kernels::Unary::sqrt, kernels::clamp(variance, eps1 * eps1, infinity));
  Array step = kernels::binary(Binary::div, g, root);
  const double limit = std::max(1.0, root_mean_square(step) / options_.d);
  kernels::scale_into(step, -alpha / limit);
  kernels::scale_into(u.parameter, 1 - u.lr * u.weight_decay);
  kernels::add_into(u.parameter, step);
}

}  // namespace weft
