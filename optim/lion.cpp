#include <weft/lib/base/math.h>
#include <weft/lib/kernels/updates/updates.h>
#include <weft/optim/lion.h>

namespace weft {

const Settings<LionOptions>& LionOptions::settings() {
  using O = LionOptions;
  static const Settings<O> all = {
      Field(&O::lr, "lr", 0.0, math::infinity, "learning rate"),
      Field(&O::weight_decay, "weight_decay", 0.0, math::infinity, "of parameters of two or more axes"),
      Field(&O::beta1, "beta1", 0.0, 1.0, "decay of the mean gradient"),
      Field(&O::beta2, "beta2", 0.0, 1.0, "decay of the momentum")};
  return all;
}

Lion::Lion(std::vector<ParameterGroup> groups, LionOptions o)
    : Optimizer(std::move(groups), o.lr, o.weight_decay, {"m"}), options_(o) {
  LionOptions::settings().check("Lion", o);
}

void Lion::update(const ParameterUpdate& u) {
  kernels::lion_update(u.parameter, u.grad, u.slots[0],
                       {.lr = u.lr,
                        .beta1 = options_.beta1,
                        .beta2 = options_.beta2,
                        .decay = u.weight_decay,
                        .grad_scale = u.grad_scale});
}

}  // namespace weft
