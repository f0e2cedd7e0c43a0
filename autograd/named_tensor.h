// A parameter and its path: what modules hand to optimizers and checkpoints.
#pragma once

#include <weft/autograd/tensor.h>

#include <string>

namespace weft {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

}  // namespace weft
