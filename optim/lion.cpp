#include <weft/lib/kernels/updates/updates.h>
#include <weft/optim/lion.h>

namespace weft {

Lion::Lion(std::vector<ParameterGroup> groups, LionOptions o)
    : Optimizer(std::move(groups), o.lr, o.weight_decay, {"m"}), options_(o) {
  check_option("Lion", "beta1", o.beta1, 0, 1);
  check_option("Lion", "beta2", o.beta2, 0, 1);
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
