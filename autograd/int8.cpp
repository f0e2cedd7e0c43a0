#include <weft/autograd/int8_internal.h>
#include <weft/autograd/node.h>
#include <weft/lib/base/error.h>

namespace weft {

void quantize_int8(const Tensor& weight, FloatValues values) {
  if (is_int8(weight)) return;
  const Array& floats = weight.value();
  TensorState& state = *weight.state();
  if (!weight.is_leaf())
    fail<StateError>("quantize_int8: a result of ", weight.op_name(), " is no weight; detach() it first");
  const auto form = std::make_shared<Int8Form>();
  if (values == FloatValues::dropped)
    form->weight.emplace(floats);
  else
    kernels::Int8Weight::check(floats);
  Tensor leaf = weight;
  leaf.zero_grad();
  leaf.set_requires_grad(false);
  state.int8 = form;
  if (values == FloatValues::dropped) state.value = {};
}

bool is_int8(const Tensor& weight) { return weight.defined() && weight.state()->int8 != nullptr; }

const kernels::Int8Weight* int8_of(const Tensor& weight) {
  if (!is_int8(weight)) return nullptr;
  TensorState& state = *weight.state();
  Int8Form& form = *state.int8;
  std::call_once(form.once, [&] {
    if (!form.weight) form.weight.emplace(state.value);
  });
  return &*form.weight;
}

namespace detail {
void refuse_int8(const char* what, const Tensor& weight) {
  const auto& form = weight.state()->int8;
  fail<StateError>(
      what, ": a weight ",
      form->weight ? str(Shape{form->weight->outputs(), form->weight->inputs()}, " ") : "",
      "in int8 is for linear() alone, and neither changed nor trained any more; open the model again");
}
}  // namespace detail

}  // namespace weft
