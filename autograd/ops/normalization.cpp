#include <weft/autograd/autocast_internal.h>
#include <weft/autograd/op.h>
#include <weft/autograd/ops.h>
#include <weft/autograd/ops/composed.h>
#include <weft/autograd/ops/normalization.h>
#include <weft/autograd/ops/optional_internal.h>
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
struct Norm {
  const char* op;
  bool centred;
  double eps;

  void check(const Tensor& x, const Tensor& weight, const Tensor& bias) const {
    if (x.rank() < 1) fail<ShapeError>(op, ": needs at least one axis, x is ", x.shape());
    const Shape row{x.dim(-1)};
    if (weight.defined() && !(weight.shape() == row))
      fail<ShapeError>(op, ": x is ", x.shape(), ", weight ", weight.shape(), ": weight must be ", row);
    if (bias.defined() && !(bias.shape() == row))
      fail<ShapeError>(op, ": x is ", x.shape(), ", bias ", bias.shape(), ": bias must be ", row);
    if (!(eps > 0)) fail<ValueError>(op, ": eps ", eps, " is not positive");
  }

  kernels::LayerNormResult kernel(const Array& x, const Array& weight, const Array& bias, DType dtype) const {
    return centred ? kernels::layer_norm(x, weight, bias, eps, dtype)
                   : kernels::rms_norm(x, weight, eps, dtype);
  }

  /// Composed of small operations, of x, weight and bias.
  Tensor formula(const std::vector<Tensor>& in, DType dtype) const {
    const Tensor wide = detail::widened(in[0]);
    return to(centred ? composed::layer_norm(wide, in[1], in[2], eps) : composed::rms_norm(wide, in[1], eps),
              dtype);
  }

  /// The operation, of a result and what its rules compute. x is last: its gradient may then be written over g.
  template <class GradX, class Accumulate>
  Tensor made(Array y, const Tensor& x, const Tensor& weight, const Tensor& bias, const Saved& x_saved,
              GradX grad_x, Accumulate accumulate) const {
    const auto composed_again = [norm = *this, dtype = y.dtype(), x = x_saved, w = save(weight),
                                 b = save(bias)](const Tensor& g) {
      const auto again = [&](const std::vector<Tensor>& in) { return norm.formula(in, dtype); };
      return composed_grad(again, {x(), w(), b()}, g);
    };
    const auto for_x = [composed_again, grad_x](const Tensor& g) {
      return grad_enabled() ? composed_again(g)[0] : Tensor(grad_x(consume(g)));
    };
    const auto into_weight = [accumulate](const Tensor& g, Array& into, bool fresh) {
      if (fresh) into.fill(0);
      accumulate(into, g.value());
    };
    const auto for_weight = [composed_again, accumulate, row = Shape{x.dim(-1)}](const Tensor& g) {
      if (grad_enabled()) return composed_again(g)[1];
      Array total = Array::zeros(row, float32);
      accumulate(total, g.value());
      return Tensor(total);
    };
    const auto for_bias = [](const Tensor& g) { return g; };
    return make_op(op, std::move(y), {{weight, for_weight, into_weight}, {bias, for_bias}, {x, for_x}});
  }

  Tensor in_float(const Tensor& x, const Tensor& weight, const Tensor& bias) const {
    const auto values = [norm = *this](const Tensor& in, const Tensor& w, const Tensor& b) {
      return norm.kernel(in.value(), detail::value_or_none(w), detail::value_or_none(b), float32);
    };
    const auto [y, mean, rstd] = values(x, weight, bias);
    if (!records(x, weight, bias)) return make_op(op, y, {});
    const auto grad_x = [=, x = save(x), w = save(weight)](Array g) {
      return kernels::layer_norm_grad_x(std::move(g), x().value(), detail::value_or_none(w()), mean, rstd);
    };
    const auto accumulate = [mean = mean, rstd = rstd, x = save(x)](Array& into, const Array& g) {
      kernels::layer_norm_accumulate(&into, nullptr, g, x().value(), mean, rstd);
    };
    return remake_by(
        made(y, x, weight, bias, save(x), grad_x, accumulate),
        [values, x = save(x), w = save(weight), b = save(bias)] { return values(x(), w(), b()).y; });
  }

  /// xhat is rounded before weight and bias, and kept instead of x, which may be float32, for all gradients.
  Tensor in_bfloat16(const Tensor& x, const Tensor& weight, const Tensor& bias) const {
    const auto [xhat, mean, rstd] = kernel(x.value(), {}, {}, bfloat16);
    const auto values = [xhat = xhat](const Tensor& w, const Tensor& b) {
      return w.defined() || b.defined()
                 ? kernels::scale_and_shift(xhat, detail::value_or_none(w), detail::value_or_none(b))
                 : xhat;
    };
    Array y = values(weight, bias);
    if (!records(x, weight, bias)) return make_op(op, std::move(y), {});
    const auto x_again = [xhat = xhat, mean = mean, rstd = rstd, dtype = x.dtype()] {
      const auto column = [](const Array& a) { return a.reshape(a.shape().inserted(a.rank(), 1)); };
      const Array centred = kernels::binary(kernels::Binary::div, xhat.to(float32), column(rstd));
      return (mean.defined() ? kernels::binary(kernels::Binary::add, centred, column(mean)) : centred)
          .to(dtype);
    };
    const auto grad_x = [=, w = save(weight), dtype = x.dtype()](Array g) {
      return kernels::normalized_grad_x(std::move(g), xhat, detail::value_or_none(w()), mean, rstd, dtype);
    };
    const auto accumulate = [xhat = xhat](Array& into, const Array& g) {
      kernels::normalized_accumulate(&into, nullptr, g, xhat);
    };
    return remake_by(made(std::move(y), x, weight, bias, save_by(x, x_again), grad_x, accumulate),
                     [values, w = save(weight), b = save(bias)] { return values(w(), b()); });
  }

  Tensor operator()(const Tensor& x, const Tensor& weight, const Tensor& bias) const {
    check(x, weight, bias);
    const bool narrow = x.dtype() == bfloat16 || (x.dtype() == float32 && autocast_dtype() == bfloat16);
    if (!is_single(x.dtype()) || x.size() == 0)
      return formula({x, weight, bias}, narrow ? bfloat16 : x.dtype());
    return narrow ? in_bfloat16(x, weight, bias) : in_float(x, weight, bias);
  }
};

}  // namespace

Tensor softmax(const Tensor& x, int axis) { return along("softmax", x, axis, last_softmax); }
Tensor log_softmax(const Tensor& x, int axis) { return along("log_softmax", x, axis, last_log_softmax); }

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  return Norm{"layer_norm", true, eps}(x, weight, bias);
}

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  return Norm{"rms_norm", false, eps}(x, weight, {});
}

}  // namespace weft
