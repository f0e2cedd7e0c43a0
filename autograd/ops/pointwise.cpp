#include <weft/autograd/op.h>
#include <weft/autograd/ops.h>
#include <weft/autograd/ops/pointwise.h>
#include <weft/lib/kernels/elementwise/elementwise.h>

#include <numbers>

namespace weft {

using kernels::Unary;
using kernels::UnaryGrad;

namespace {

constexpr double inverse_sqrt_2 = std::numbers::sqrt2 / 2;
constexpr double inverse_sqrt_pi = std::numbers::inv_sqrtpi;

Tensor unary(Unary kind, const Tensor& x, Rule rule) {
  return make_op(kernels::name_of(kind), kernels::unary(kind, x.value()), {{x, std::move(rule)}});
}

/// An activation whose derivative has a fused kernel; `slope` is the same derivative composed of operations.
Tensor activation(Unary kind, UnaryGrad fused, const Tensor& x, Tensor (*slope)(const Tensor&)) {
  if (!records(x)) return unary(kind, x, {});
  const Tensor y = unary(kind, x, [x = save(x), fused, slope](const Tensor& g) {
    if (grad_enabled()) return g * slope(x());
    return Tensor(kernels::unary_grad(fused, x().value(), consume(g)));
  });
  return remake_by(y, [x = save(x), kind] { return kernels::unary(kind, x().value()); });
}

Tensor silu_slope(const Tensor& x) {
  const Tensor s = sigmoid(x);
  return s * (1.0 + x * (1.0 - s));
}

Tensor gelu_slope(const Tensor& x) {
  const Tensor cumulative = 0.5 * (1.0 + erf(x * inverse_sqrt_2));
  return cumulative + x * exp(-0.5 * square(x)) * (inverse_sqrt_2 * inverse_sqrt_pi);
}

Tensor gelu_tanh_slope(const Tensor& x) {
  constexpr double k = std::numbers::sqrt2 * inverse_sqrt_pi;
  const Tensor t = tanh(k * (x + 0.044715 * pow(x, 3.0)));
  return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - square(t)) * (k * (1.0 + 3 * 0.044715 * square(x)));
}

}  // namespace

Tensor exp(const Tensor& x) {
  return unary(Unary::exp, x, [](const Tensor& g, const Tensor& y) { return g * y; });
}

Tensor log(const Tensor& x) {
  return unary(Unary::log, x, [x = save(x)](const Tensor& g) { return g / x(); });
}

Tensor sqrt(const Tensor& x) {
  return unary(Unary::sqrt, x, [](const Tensor& g, const Tensor& y) { return g * 0.5 / y; });
}

Tensor square(const Tensor& x) {
  return unary(Unary::square, x, [x = save(x)](const Tensor& g) { return g * 2.0 * x(); });
}

Tensor sin(const Tensor& x) {
  return unary(Unary::sin, x, [x = save(x)](const Tensor& g) { return g * cos(x()); });
}

Tensor cos(const Tensor& x) {
  return unary(Unary::cos, x, [x = save(x)](const Tensor& g) { return -(g * sin(x())); });
}

Tensor erf(const Tensor& x) {
  return unary(Unary::erf, x,
               [x = save(x)](const Tensor& g) { return g * exp(-square(x())) * (2 * inverse_sqrt_pi); });
}

Tensor abs(const Tensor& x) {
  return unary(Unary::abs, x, [x = save(x)](const Tensor& g) {
    return g * Tensor(kernels::unary(Unary::sign, x().value()));
  });
}

Tensor tanh(const Tensor& x) {
  return unary(Unary::tanh, x, [](const Tensor& g, const Tensor& y) {
    if (grad_enabled()) return g * (1.0 - square(y));
    return Tensor(kernels::unary_grad(UnaryGrad::tanh_from_y, y.value(), consume(g)));
  });
}

Tensor sigmoid(const Tensor& x) {
  return unary(Unary::sigmoid, x, [](const Tensor& g, const Tensor& y) {
    if (grad_enabled()) return g * y * (1.0 - y);
    return Tensor(kernels::unary_grad(UnaryGrad::sigmoid_from_y, y.value(), consume(g)));
  });
}

Tensor relu(const Tensor& x) {
  return activation(Unary::relu, UnaryGrad::relu, x,
                    [](const Tensor& t) { return Tensor((t > 0.0).to(t.dtype())); });
}

Tensor silu(const Tensor& x) { return activation(Unary::silu, UnaryGrad::silu, x, silu_slope); }

Tensor gelu(const Tensor& x, Gelu form) {
  return form == Gelu::exact ? activation(Unary::gelu, UnaryGrad::gelu, x, gelu_slope)
                             : activation(Unary::gelu_tanh, UnaryGrad::gelu_tanh, x, gelu_tanh_slope);
}

Tensor clamp(const Tensor& x, double low, double high) {
  if (low > high) fail<ValueError>("clamp: the lower bound ", low, " is above the upper one ", high);
  return make_op("clamp", kernels::clamp(x.value(), low, high),
                 {{x, [x = save(x), low, high](const Tensor& g) {
                     const Array inside = kernels::logical_and(x() >= low, x() <= high);
                     return g * Tensor(inside.to(g.dtype()));
                   }}});
}

Tensor where(const Array& condition, const Tensor& a, const Tensor& b) {
  return make_op(
      "where", kernels::where(condition, a.value(), b.value()),
      {{a, [condition](const Tensor& g) { return masked_fill(g, kernels::logical_not(condition), 0.0); }},
       {b, [condition](const Tensor& g) { return masked_fill(g, condition, 0.0); }}});
}

Tensor masked_fill(const Tensor& x, const Array& mask, double value) {
  return make_op("masked_fill", kernels::where(mask, Array::scalar(value, x.dtype()), x.value()),
                 {{x, [mask](const Tensor& g) { return masked_fill(g, mask, 0.0); }}});
}

}  // namespace weft
