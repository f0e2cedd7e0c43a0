// Inputs of operations that may be missing.
#pragma once

#include <weft/autograd/tensor.h>

namespace weft::detail {

/// The values of x, or an undefined array where there is no x.
inline Array value_or_none(const Tensor& x) { return x.defined() ? x.value() : Array(); }

}  // namespace weft::detail
