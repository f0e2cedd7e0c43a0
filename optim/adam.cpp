#include <weft/lib/kernels/fused.h>
#include <weft/lib/math.h>
#include <weft/optim/adam.h>

#include <cmath>

namespace weft {

namespace {

template <class Options>
std::vector<Options> checked(std::vector<Options> groups) {
  for (const Options& o : groups) {
    if (!(o.lr >= 0)) fail<ValueError>("Adam: lr ", o.lr, " is negative");
    if (!(o.beta1 >= 0 && o.beta1 < 1)) fail<ValueError>("Adam: beta1 ", o.beta1, " is not in [0, 1)");
    if (!(o.beta2 >= 0 && o.beta2 < 1)) fail<ValueError>("Adam: beta2 ", o.beta2, " is not in [0, 1)");
    if (!(o.eps >= 0)) fail<ValueError>("Adam: eps ", o.eps, " is negative");
    if (!(o.weight_decay >= 0)) fail<ValueError>("Adam: weight_decay ", o.weight_decay, " is negative");
  }
  return groups;
}

/// The same update as kernels::adam_update, in double.
void adam_update_double(Array& parameter, const Array& grad, Array& first, Array& second,
                        const kernels::AdamStep& s) {
  double* const p = parameter.mutable_data<double>();
  double* const m = first.mutable_data<double>();
  double* const v = second.mutable_data<double>();
  const double* const g = grad.data<double>();
  for (int64_t i = 0; i < parameter.size(); ++i) {
    const double slope = s.grad_scale * g[i] + s.l2 * p[i];
    p[i] *= 1 - s.lr * s.decay;
    m[i] = s.beta1 * m[i] + (1 - s.beta1) * slope;
    v[i] = s.beta2 * v[i] + (1 - s.beta2) * slope * slope;
    p[i] -= s.lr / s.correction1 * m[i] / (std::sqrt(v[i]) / std::sqrt(s.correction2) + s.eps);
  }
}

template <class Options>
void update_one(const Options& o, double decay, double l2, int64_t t, Array& parameter, const Array& grad,
                double grad_scale, std::vector<Array>& slots) {
  const kernels::AdamStep step{.lr = o.lr,
                               .beta1 = o.beta1,
                               .beta2 = o.beta2,
                               .eps = o.eps,
                               .decay = decay,
                               .l2 = l2,
                               .grad_scale = grad_scale,
                               .correction1 = 1 - math::pow(o.beta1, static_cast<double>(t)),
                               .correction2 = 1 - math::pow(o.beta2, static_cast<double>(t))};
  if (parameter.dtype() == float32) {
    kernels::adam_update(parameter, grad, slots[0], slots[1], step);
  } else {
    adam_update_double(parameter, grad, slots[0], slots[1], step);
  }
}

}  // namespace

Adam::Adam(Groups groups)
    : Optimizer(parameters_of(groups), {"m", "v"}), options_(checked(options_of(groups))) {}
AdamW::AdamW(Groups groups)
    : Optimizer(parameters_of(groups), {"m", "v"}), options_(checked(options_of(groups))) {}

void Adam::set_lr(double lr) {
  for (AdamOptions& o : options_) o.lr = lr;
}

void AdamW::set_lr(double lr) {
  for (AdamWOptions& o : options_) o.lr = lr;
}

void Adam::update(size_t group, int64_t t, Array& parameter, const Array& grad, double grad_scale,
                  std::vector<Array>& slots) {
  const AdamOptions& o = options_[group];
  update_one(o, 0.0, o.weight_decay, t, parameter, grad, grad_scale, slots);
}

void AdamW::update(size_t group, int64_t t, Array& parameter, const Array& grad, double grad_scale,
                   std::vector<Array>& slots) {
  const AdamWOptions& o = options_[group];
  update_one(o, o.weight_decay, 0.0, t, parameter, grad, grad_scale, slots);
}

}  // namespace weft
