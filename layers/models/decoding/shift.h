// What the decoder of an encoder-decoder reads in training.
#pragma once

#include <weft/lib/array/array.h>

namespace weft {

/// targets (B, T) int64 -> start_id followed by all but the last of each row. A target that is
/// Batch::ignored becomes start_id. ShapeError, which names the model, unless of two axes.
Array shifted_right(const char* model, const Array& targets, int64_t start_id);

}  // namespace weft
