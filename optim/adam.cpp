#include <weft/lib/base/math.h>
#include <weft/lib/kernels/updates/updates.h>
#include <weft/optim/adam.h>

#include <cmath>

namespace weft {

const Settings<AdamWOptions>& AdamWOptions::settings() {
  using O = AdamWOptions;
  static const Settings<O> all = {
      Field(&O::lr, "lr", 0.0, math::infinity, "learning rate"),
      Field(&O::weight_decay, "weight_decay", 0.0, math::infinity, "of parameters of two or more axes"),
      Field(&O::beta1, "beta1", 0.0, 1.0, "decay of the mean gradient"),
      Field(&O::beta2, "beta2", 0.0, 1.0, "decay of the mean squared gradient").in_runs(0.99),
      Field(&O::eps, "eps", 0.0, math::infinity, "added to what is divided by")};
  return all;
}

const Settings<AdamOptions>& AdamOptions::settings() {
  using O = AdamOptions;
  static const Settings<O> all = {
      Field(&O::lr, "lr", 0.0, math::infinity, "learning rate"),
      Field(&O::weight_decay, "weight_decay", 0.0, math::infinity, "of parameters of two or more axes"),
      Field(&O::beta1, "beta1", 0.0, 1.0, "decay of the mean gradient"),
      Field(&O::beta2, "beta2", 0.0, 1.0, "decay of the mean squared gradient").in_runs(0.99),
      Field(&O::eps, "eps", 0.0, math::infinity, "added to what is divided by")};
  return all;
}

namespace {

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

void adam_update(const ParameterUpdate& u, const AdamOptions& o, double decay, double l2, size_t first_slot) {
  const kernels::AdamStep step{.lr = u.lr,
                               .beta1 = o.beta1,
                               .beta2 = o.beta2,
                               .eps = o.eps,
                               .decay = decay,
                               .l2 = l2,
                               .grad_scale = u.grad_scale,
                               .correction1 = 1 - math::pow(o.beta1, static_cast<double>(u.step)),
                               .correction2 = 1 - math::pow(o.beta2, static_cast<double>(u.step))};
  Array &m = u.slots[first_slot], &v = u.slots[first_slot + 1];
  if (u.parameter.dtype() == float32) {
    kernels::adam_update(u.parameter, u.grad, m, v, step);
  } else {
    adam_update_double(u.parameter, u.grad, m, v, step);
  }
}

}  // namespace

Adam::Adam(std::vector<ParameterGroup> groups, AdamOptions o)
    : Optimizer(std::move(groups), o.lr, o.weight_decay, {"m", "v"}), options_(o) {
  AdamOptions::settings().check("Adam", o);
}

AdamW::AdamW(std::vector<ParameterGroup> groups, AdamWOptions o)
    : Optimizer(std::move(groups), o.lr, o.weight_decay, {"m", "v"}), options_(o) {
  AdamWOptions::settings().check("AdamW", o);
}

void Adam::update(const ParameterUpdate& u) { adam_update(u, options_, 0.0, u.weight_decay, 0); }

void AdamW::update(const ParameterUpdate& u) {
  adamw_update(u, options_.beta1, options_.beta2, options_.eps, 0);
}

void adamw_update(const ParameterUpdate& u, double beta1, double beta2, double eps, size_t first_slot) {
  adam_update(u, {.beta1 = beta1, .beta2 = beta2, .eps = eps}, u.weight_decay, 0.0, first_slot);
}

}  // namespace weft
