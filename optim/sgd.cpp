#include <weft/lib/kernels/elementwise.h>
#include <weft/optim/sgd.h>

namespace weft {

SGD::SGD(Groups groups) : Optimizer(parameters_of(groups), {"momentum"}), options_(options_of(groups)) {
  for (const SGDOptions& o : options_) {
    if (!(o.lr >= 0)) fail<ValueError>("SGD: lr ", o.lr, " is negative");
    if (!(o.momentum >= 0)) fail<ValueError>("SGD: momentum ", o.momentum, " is negative");
    if (!(o.weight_decay >= 0)) fail<ValueError>("SGD: weight_decay ", o.weight_decay, " is negative");
    if (o.nesterov && o.momentum == 0) fail<ValueError>("SGD: nesterov needs a momentum above 0");
  }
}

void SGD::set_lr(double lr) {
  for (SGDOptions& o : options_) o.lr = lr;
}

void SGD::update(size_t group, int64_t, Array& parameter, const Array& grad, double grad_scale,
                 std::vector<Array>& slots) {
  using kernels::Binary;
  const SGDOptions& o = options_[group];
  Array slope = kernels::binary(Binary::mul, grad, grad_scale);
  if (o.weight_decay != 0) kernels::add_into(slope, kernels::binary(Binary::mul, parameter, o.weight_decay));
  if (o.momentum != 0) {
    kernels::scale_into(slots[0], o.momentum);
    kernels::add_into(slots[0], slope);
    if (o.nesterov) {
      kernels::add_into(slope, kernels::binary(Binary::mul, slots[0], o.momentum));
    } else {
      slope = slots[0];
    }
  }
  kernels::add_into(parameter, kernels::binary(Binary::mul, slope, -o.lr));
}

}  // namespace weft
