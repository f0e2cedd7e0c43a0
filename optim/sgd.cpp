#include <weft/lib/kernels/updates/updates.h>
#include <weft/optim/sgd.h>

namespace weft {

SGD::SGD(std::vector<ParameterGroup> groups, SGDOptions o)
    : Optimizer(std::move(groups), o.lr, o.weight_decay, {"momentum"}), options_(o) {
  check_option("SGD", "momentum", o.momentum);
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
