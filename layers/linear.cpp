#include <weft/layers/linear.h>

#include <cmath>

namespace weft {

Linear::Linear(int64_t inputs, int64_t outputs, const LinearOptions& options)
    : weight(parameter("weight", {outputs, inputs},
                       options.weight_init.value_or(init::fan_in_uniform(inputs)))) {
  if (options.bias)
    bias = parameter("bias", {outputs}, options.bias_init.value_or(init::fan_in_uniform(inputs)));
}

void Linear::add_lora(const LoraOptions& options) {
  if (has_lora()) fail<StateError>("Linear: '", path(), "' has an adapter already");
  if (options.rank < 1) fail<ValueError>("Linear: the rank of an adapter, ", options.rank, ", is below 1");
  if (!std::isfinite(options.alpha))
    fail<ValueError>("Linear: the alpha of an adapter, ", options.alpha, ", is no number");
  if (!(options.dropout >= 0 && options.dropout < 1))
    fail<ValueError>("Linear: the dropout ", options.dropout, " is not in [0, 1)");
  const int64_t outputs = weight.dim(0), inputs = weight.dim(1);
  lora_ = options;
  lora_A = parameter("lora_A", {options.rank, inputs}, init::fan_in_uniform(inputs));
  lora_B = parameter("lora_B", {outputs, options.rank}, init::zeros());
  for (Parameter* const made : {&lora_A, &lora_B})
    if (made->dtype() != weight.dtype()) made->set_value(made->value().to(weight.dtype()));
}

Tensor Linear::adapted(const Tensor& y, const Tensor& x) const {
  if (!has_lora()) return y;
  const bool drops = training() && lora_.dropout > 0;
  const Tensor read = drops ? dropout(x, lora_.dropout, str(path(), ".lora_dropout")) : x;
  // Scaled where it is narrow.
  const double scale = lora_.alpha / static_cast<double>(lora_.rank);
  return y + linear(linear(read, lora_A) * scale, lora_B);
}

Tensor Linear::forward(const Tensor& x) const { return adapted(linear(x, weight, bias), x); }

}  // namespace weft
