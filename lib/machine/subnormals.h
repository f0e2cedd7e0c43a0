// How a thread computes with subnormal numbers.
#pragma once

#include <xmmintrin.h>

namespace weft {

/// While it lives, float arithmetic of this thread takes and gives zeros, with their sign, for subnormal numbers.
class FlushSubnormals {
 public:
  FlushSubnormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | inputs | results); }
  ~FlushSubnormals() { _mm_setcsr(before_); }
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
  static constexpr unsigned inputs = 0x0040, results = 0x8000;
  unsigned before_;
};

}  // namespace weft
