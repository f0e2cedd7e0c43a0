#include <weft/autograd/autocast_internal.h>
#include <weft/autograd/op.h>
#include <weft/autograd/ops.h>
#include <weft/autograd/ops/composed.h>
#include <weft/autograd/ops/normalization.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/fused/fused.h>
#include <weft/lib/kernels/reduce.h>

#include <cmath>

namespace weft {

namespace composed {

namespace {

/// The largest value of each row, as a constant: it cancels out of the result. 0 where it is -inf.
Tensor row_maximum(const Tensor& x) {
  const int last = -1;
  const Array largest = kernels::max(x.value(), {&last, 1}, true);
  const Array none = kernels::compare(kernels::Compare::eq, largest, -INFINITY);
  return Tensor(kernels::where(none, Array::scalar(0.0, x.dtype()), largest));
}

}  // namespace

Tensor softmax(const Tensor& x) {
  if (x.size() == 0) return x;
  const Tensor e = exp(x - row_maximum(x));
  const Tensor total = sum(e, {-1}, true);
  return e / masked_fill(total, total <= 0.0, 1.0);
}

Tensor log_softmax(const Tensor& x) {
  if (x.size() == 0) return x;
  const Tensor shifted = x - row_maximum(x);
  return shifted - log(sum(exp(shifted), {-1}, true));
}

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  const Tensor centred = x - mean(x, {-1}, true);
  Tensor y = centred / sqrt(mean(square(centred), {-1}, true) + eps);
  if (weight.defined()) y = y * weight;
  if (bias.defined()) y = y + bias;
  return y;
}

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  const Tensor y = x / sqrt(mean(square(x), {-1}, true) + eps);
  return weight.defined() ? y * weight : y;
}

}  // namespace composed

namespace {

/// Applies an operation of the last axis to another one.
template <class F>
Tensor along(const char* op, const Tensor& x, int axis, F&& f) {
  const int place = normal_axis(op, axis, x.rank());
  if (place == x.rank() - 1) return f(x);
  return transpose(f(transpose(x, place, -1)), place, -1);
}

Tensor last_softmax(const Tensor& given) {
  const Tensor x = detail::widened(given);
  if (x.dtype() != float32 || x.size() == 0) return composed::softmax(x);
  return make_op("softmax", kernels::softmax(x.value()),
                 {{x, [](const Tensor& g, const Tensor& p) {
                     if (grad_enabled()) return p * (g - sum(g * p, {-1}, true));
                     return Tensor(kernels::softmax_grad(p.value(), g.value()));
                   }}});
}

Tensor last_log_softmax(const Tensor& given) {
  const Tensor x = detail::widened(given);
  if (x.dtype() != float32 || x.size() == 0) return composed::log_softmax(x);
  return make_op("log_softmax", kernels::log_softmax(x.value()),
                 {{x, [](const Tensor& g, const Tensor& y) {
                     if (grad_enabled()) return g - exp(y) * sum(g, {-1}, true);
                     return Tensor(kernels::log_softmax_grad(y.value(), g.value()));
                   }}});
}

/// Layer norm, or with `centred` false RMS norm, which has no bias.
Tensor normalized(const char* op, bool centred, const Tensor& x, const Tensor& weight, const Tensor& bias,
                  double eps) {
  if (x.rank() < 1) fail<ShapeError>(op, ": needs at least one axis, x is ", x.shape());
  const Shape row{x.dim(-1)};
  if (weight.defined() && !(weight.shape() == row))
    fail<ShapeError>(op, ": x is ", x.shape(), ", weight ", weight.shape(), ": weight must be ", row);
  if (bias.defined() && !(bias.shape() == row))
    fail<ShapeError>(op, ": x is ", x.shape(), ", bias ", bias.shape(), ": bias must be ", row);
  if (!(eps > 0)) fail<ValueError>(op, ": eps ", eps, " is not positive");
  const auto formula = [centred, eps](const std::vector<Tensor>& in) {
    const Tensor wide = detail::widened(in[0]);
    return to(centred ? composed::layer_norm(wide, in[1], in[2], eps) : composed::rms_norm(wide, in[1], eps),
              in[0].dtype());
  };
  if (!is_single(x.dtype()) || x.size() == 0) return formula({x, weight, bias});

  const auto array_of = [](const Tensor& t) { return t.defined() ? t.value() : Array(); };
  const auto fused = [=](const Tensor& in, const Tensor& w, const Tensor& b) {
    return centred ? kernels::layer_norm(in.value(), array_of(w), array_of(b), eps)
                   : kernels::rms_norm(in.value(), array_of(w), eps);
  };
  kernels::LayerNormResult forward = fused(x, weight, bias);
  if (!records(x, weight, bias)) return make_op(op, std::move(forward.y), {});
  const auto composed_again = [=, x = save(x), w = save(weight), b = save(bias)](const Tensor& g) {
    return composed_grad(formula, {x(), w(), b()}, g);
  };
  const Array mean = forward.mean, rstd = forward.rstd;
  const auto for_x = [=, x = save(x), w = save(weight)](const Tensor& g) {
    if (grad_enabled()) return composed_again(g)[0];
    return Tensor(kernels::layer_norm_grad_x(consume(g), x().value(), array_of(w()), mean, rstd));
  };
  const auto into_weight = [=, x = save(x)](const Tensor& g, Array& into, bool fresh) {
    if (fresh) into.fill(0);
    kernels::layer_norm_accumulate(&into, nullptr, g.value(), x().value(), mean, rstd);
  };
  const auto for_weight = [=](const Tensor& g) {
    if (grad_enabled()) return composed_again(g)[1];
    Array total = Array::zeros(row, float32);
    into_weight(g, total, false);
    return Tensor(total);
  };
  const auto for_bias = [](const Tensor& g) { return g; };
  const auto again = [=, x = save(x), w = save(weight), b = save(bias)] { return fused(x(), w(), b()).y; };
  // x is last: its gradient may then be written over g.
  return remake_by(
      make_op(op, std::move(forward.y), {{weight, for_weight, into_weight}, {bias, for_bias}, {x, for_x}}),
      again);
}

}  // namespace

Tensor softmax(const Tensor& x, int axis) { return along("softmax", x, axis, last_softmax); }
Tensor log_softmax(const Tensor& x, int axis) { return along("log_softmax", x, axis, last_log_softmax); }

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  return normalized("layer_norm", true, x, weight, bias, eps);
}

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  return normalized("rms_norm", false, x, weight, {}, eps);
}

}  // namespace weft
