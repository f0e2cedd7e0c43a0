#include <weft/layers/linear.h>

namespace weft {

Linear::Linear(int64_t inputs, int64_t outputs, const LinearOptions& options)
    : weight(parameter("weight", {outputs, inputs},
                       options.weight_init.value_or(init::fan_in_uniform(inputs)))) {
  if (options.bias)
    bias = parameter("bias", {outputs}, options.bias_init.value_or(init::fan_in_uniform(inputs)));
}

}  // namespace weft
