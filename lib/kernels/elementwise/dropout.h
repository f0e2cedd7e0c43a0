// Dropout as the vector code takes it, for the kernels that drop on the way.
#pragma once

#include <weft/lib/array/random.h>
#include <weft/lib/isa/elementwise.h>

namespace weft::kernels {

/// The dropout of elementwise.h with probability p, of sample 0 from place 0 on.
isa::ElementwiseFunctions::Dropout vector_dropout(double p, RandomKey key);

}  // namespace weft::kernels
