// How operations take what Autocast is about.
#pragma once

#include <weft/autograd/autocast.h>

namespace weft::detail {

/// x in bfloat16 where an Autocast asks for that and x is float32: of operations that give bfloat16 then.
Tensor autocast(const Tensor& x);
/// Of bfloat16, x in float32: of operations that compute and give that.
Tensor widened(const Tensor& x);

}  // namespace weft::detail
