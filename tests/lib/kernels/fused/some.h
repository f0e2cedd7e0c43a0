// Numbers in [-1, 1), others in each stream.
#pragma once

#include <weft/lib/array/random.h>

namespace weft::test {

inline Array some(const Shape& shape, uint64_t stream) {
  return random_uniform(shape, -1, 1, random_key(4, stream), float32);
}

}  // namespace weft::test
