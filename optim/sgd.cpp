#include <weft/lib/base/math.h>
#include <weft/lib/kernels/updates/updates.h>
#include <weft/optim/sgd.h>

namespace weft {

const Settings<SGDOptions>& SGDOptions::settings() {
  using O = SGDOptions;
  static const Settings<O> all = {
      Field(&O::lr, "lr", 0.0, math::infinity, "learning rate"),
      Field(&O::weight_decay, "weight_decay", 0.0, math::infinity, "of parameters of two or more axes"),
      Field(&O::momentum, "momentum", 0.0, math::infinity, "of past gradients"),
      Field(&O::nesterov, "nesterov", "looks ahead; needs momentum")};
  return all;
}

SGD::SGD(std::vector<ParameterGroup> groups, SGDOptions o)
    : Optimizer(std::move(groups), o.lr, o.weight_decay, {"momentum"}), options_(o) {
  SGDOptions::settings().check("SGD", o);
  if (o.nesterov && o.momentum == 0) fail<ValueError>("SGD: nesterov needs a momentum above 0");
}

std::vector<std::optional<Shape>> SGD::slot_shapes(const NamedTensor& p) const {
  if (options_.momentum == 0) return {std::nullopt};
  return {p.tensor.shape()};
}

void SGD::update(const ParameterUpdate& u) {
  kernels::sgd_update(u.parameter, u.grad, u.slots[0],
                      {.lr = u.lr,
                       .momentum = options_.momentum,
                       .l2 = u.weight_decay,
                       .grad_scale = u.grad_scale,
                       .nesterov = options_.nesterov});
}

}  // namespace weft
