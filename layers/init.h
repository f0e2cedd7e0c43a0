// How parameters get their first values: functions of (seed, parameter), so that a model is the same whatever
// built it.
#pragma once

#include <weft/lib/array.h>
#include <weft/lib/random.h>

#include <functional>

namespace weft {

/// Makes the first value of a parameter. `random` tells whether it takes a key from the RandomScope.
struct Init {
  std::function<Array(const Shape& shape, RandomKey key)> make;
  bool random = false;
};

namespace init {

Init zeros();
Init ones();
Init constant(double value);
Init normal(double mean, double deviation);
Init uniform(double low, double high);
/// PyTorch's default of Linear: uniform within 1 / sqrt(fan_in).
Init fan_in_uniform(int64_t fan_in);

}  // namespace init

/// While it lives, parameters made by this thread are zeros: for models that are about to be loaded.
class NoInit {
 public:
  NoInit();
  ~NoInit();
  NoInit(const NoInit&) = delete;
  NoInit& operator=(const NoInit&) = delete;
  static bool active();

 private:
  bool before_;
};

}  // namespace weft
