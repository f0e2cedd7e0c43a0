// The integers of a weight, for linear() alone.
#pragma once

#include <weft/autograd/int8.h>
#include <weft/lib/kernels/products/int8_weight.h>

#include <mutex>
#include <optional>

namespace weft {

struct Int8Form {
  std::once_flag once{};
  std::optional<kernels::Int8Weight> weight{};
};

/// Null of a weight that is no integers. Any thread may ask.
const kernels::Int8Weight* int8_of(const Tensor& weight);

}  // namespace weft
