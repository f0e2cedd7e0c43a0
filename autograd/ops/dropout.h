// Dropout.
#pragma once

#include <weft/autograd/tensor.h>

#include <string_view>

namespace weft {

/// Zeroes each element with probability p and multiplies the others by 1 / (1 - p) (Srivastava et al. 2014,
/// inverted). Numbers come from the RandomScope of this thread (lib/random.h), under `stream` and its call
/// number there; axis 0 is the sample. Nothing happens when `training` is false or p is 0. StateError without
/// a scope; ValueError unless 0 <= p < 1.
Tensor dropout(const Tensor& x, double p, std::string_view stream = "dropout", bool training = true);

}  // namespace weft
