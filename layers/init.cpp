#include <weft/layers/init.h>

#include <cmath>
#include <utility>

namespace weft {

namespace init {

Init zeros() { return constant(0.0); }
Init ones() { return constant(1.0); }

Init constant(double value) {
  return {[value](const Shape& shape, RandomKey) { return Array::full(shape, value); }};
}

Init normal(double mean, double deviation) {
  return {[=](const Shape& shape, RandomKey key) { return random_normal(shape, mean, deviation, key); },
          true};
}

Init uniform(double low, double high) {
  return {[=](const Shape& shape, RandomKey key) { return random_uniform(shape, low, high, key); }, true};
}

Init fan_in_uniform(int64_t fan_in) {
  const double bound = fan_in > 0 ? 1.0 / std::sqrt(static_cast<double>(fan_in)) : 0.0;
  return uniform(-bound, bound);
}

}  // namespace init

namespace {
thread_local bool skipping = false;
}

NoInit::NoInit() : before_(std::exchange(skipping, true)) {}
NoInit::~NoInit() { skipping = before_; }
bool NoInit::active() { return skipping; }

}  // namespace weft
