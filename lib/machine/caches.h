// The caches of the processor.
#pragma once

#include <cstdint>

namespace weft {

/// Bytes that each holds: the first for data and the second, of one core; the third, of all that share it.
struct Caches {
  int64_t first = 32 << 10, second = 1 << 20, third = 32 << 20;
};

/// Those of this processor, as the system tells them; where it does not, the defaults. Read once.
const Caches& processor_caches();

}  // namespace weft
