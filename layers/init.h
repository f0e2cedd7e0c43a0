// How parameters get their first values: functions of (seed, parameter), so that a model is the same whatever
// built it.
#pragma once

#include <weft/lib/array/array.h>
#include <weft/lib/array/random.h>

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
/// normal(0, 0.02 sqrt(768 / width)): what BERT and ViT are published with at width 768, scaled so that
/// products of vectors keep their spread: narrow models begin to learn far sooner than with 0.02.
Init normal_by_width(int64_t width);
Init uniform(double low, double high);
/// PyTorch's default of Linear: uniform within 1 / sqrt(fan_in).
Init fan_in_uniform(int64_t fan_in);
/// The normal distribution within [low, high] alone, as PyTorch's trunc_normal_: low and high are values, not
/// multiples of the deviation. ValueError unless deviation > 0, low < high, and something lies between them.
Init truncated_normal(double mean, double deviation, double low, double high);

// The fans of a weight (outputs, inputs, ...), of which the further axes are a kernel's, are inputs and
// outputs times the size of the kernel. Those below are refused (ShapeError) for less than two axes.

/// sqrt(2) for relu, 5 / 3 for tanh, 1 for the others: PyTorch's calculate_gain.
enum class Nonlinearity { linear, sigmoid, tanh, relu };
double gain_of(Nonlinearity nonlinearity);
/// Glorot and Bengio 2010: variance 2 gain^2 / (fan_in + fan_out).
Init xavier_uniform(double gain = 1.0);
Init xavier_normal(double gain = 1.0);
/// He et al. 2015, equation 14: variance gain^2 / fan.
enum class Fan { in, out };
Init kaiming_uniform(Nonlinearity nonlinearity = Nonlinearity::relu, Fan fan = Fan::in);
Init kaiming_normal(Nonlinearity nonlinearity = Nonlinearity::relu, Fan fan = Fan::in);
/// Saxe et al. 2014: rows, or columns where those are fewer, of the weight as a matrix (outputs, rest) are
/// orthogonal and gain long; uniform among all such.
Init orthogonal(double gain = 1.0);

}  // namespace init

/// While it lives, parameters made by this thread are zeros: for models that are about to be loaded.
class NoInit {
 public:
  [[nodiscard]] NoInit();
  ~NoInit();
  NoInit(const NoInit&) = delete;
  NoInit& operator=(const NoInit&) = delete;
  static bool active();

 private:
  bool before_;
};

}  // namespace weft
