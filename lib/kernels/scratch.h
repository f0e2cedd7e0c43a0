// Memory that the threads of a loop work in.
#pragma once

#include <weft/lib/base/error.h>
#include <weft/lib/machine/memory.h>
#include <weft/lib/machine/parallel.h>

#include <cstdint>
#include <memory>

namespace weft::kernels {

/// As many floats for each thread, taken before the loop begins: what a loop takes inside depends on how its
/// threads happen to meet, and then a step takes now and then more than the steps before.
class Scratch {
 public:
  explicit Scratch(int64_t floats)
      : each_((floats + 15) / 16 * 16),
        threads_(num_threads()),
        buffer_(allocate(static_cast<size_t>(each_ * threads_) * sizeof(float))) {}

  /// That of this thread.
  float* here() const {
    const int index = thread_index();
    if (index >= threads_) fail<StateError>("the number of threads was raised while a loop ran");
    return static_cast<float*>(buffer_->data) + index * each_;
  }

 private:
  int64_t each_;
  int threads_;
  std::shared_ptr<Buffer> buffer_;
};

}  // namespace weft::kernels
