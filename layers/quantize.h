// A model whose weights are integers, to be used and no longer trained.
#pragma once

#include <weft/layers/module.h>

namespace weft {

/// Makes the weight of each Linear below `module`, of 4,096 values or more, 8-bit integers (autograd/int8.h), which take a
/// quarter of the memory, and gives the float values up; where an Embedding is the output layer too, that product is one of
/// integers, and its table stays. All else is computed as before. All parameters are frozen.
///
/// Whoever asks for a value that was given up is refused (StateError): state_dict(), optimizers, to(). ValueError that names
/// the parameter for NaN and infinity, TypeError for float64; nothing is changed then.
void quantize_weights(Module& module);

}  // namespace weft
