#include <weft/layers/init.h>
#include <weft/lib/base/math.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace weft {

namespace init {

Init zeros() { return constant(0.0); }
Init ones() { return constant(1.0); }

Init constant(double value) {
  return {[value](const Shape& shape, RandomKey) { return Array::full(shape, value); }};
}

Init normal_by_width(int64_t width) {
  return normal(0.0, 0.02 * std::sqrt(768.0 / static_cast<double>(width)));
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

namespace {

struct Fans {
  double in, out;
};

Fans fans_of(const char* init, const Shape& shape) {
  if (shape.rank() < 2) fail<ShapeError>(init, ": a weight ", shape, " has no fans: it needs two axes");
  const auto kernel = static_cast<double>(shape.without(0).without(0).size());
  return {static_cast<double>(shape[1]) * kernel, static_cast<double>(shape[0]) * kernel};
}

/// Normal or uniform around 0 with the variance that `variance` gives for the shape; 0 for no values.
template <class Variance>
Init scaled(bool is_normal, Variance variance) {
  return {[=](const Shape& shape, RandomKey key) {
            const double of_shape = variance(shape), deviation = shape.size() > 0 ? std::sqrt(of_shape) : 0.0;
            if (is_normal) return random_normal(shape, 0.0, deviation, key);
            const double bound = std::sqrt(3.0) * deviation;
            return random_uniform(shape, -bound, bound, key);
          },
          true};
}

Init xavier(const char* init, bool is_normal, double gain) {
  return scaled(is_normal, [=](const Shape& shape) {
    const Fans fans = fans_of(init, shape);
    return 2.0 * gain * gain / (fans.in + fans.out);
  });
}

Init kaiming(const char* init, bool is_normal, Nonlinearity nonlinearity, Fan fan) {
  const double gain = gain_of(nonlinearity);
  return scaled(is_normal, [=](const Shape& shape) {
    const Fans fans = fans_of(init, shape);
    return gain * gain / (fan == Fan::in ? fans.in : fans.out);
  });
}

double normal_below(double x) { return 0.5 * (1.0 + math::erf(x * std::sqrt(0.5))); }

/// The z in [low, high] below which the normal distribution has the share `p`, by halving: 60 steps, exact to
/// the last bits, and the same on all machines.
double normal_quantile(double p, double low, double high) {
  for (int step = 0; step < 60; ++step) {
    const double middle = 0.5 * (low + high);
    (normal_below(middle) < p ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

/// Makes the rows of `a` (rows, columns), rows at most columns, orthonormal: Gram and Schmidt, each row
/// twice, which is as good as it gets in double (Giraud et al. 2005).
void orthonormalize(std::vector<double>& a, int64_t rows, int64_t columns) {
  const auto row = [&](int64_t i) { return a.data() + i * columns; };
  const auto dot = [&](const double* x, const double* y) {
    double sum = 0;
    for (int64_t k = 0; k < columns; ++k) sum += x[k] * y[k];
    return sum;
  };
  for (int64_t i = 0; i < rows; ++i) {
    double* const x = row(i);
    for (int pass = 0; pass < 2; ++pass)
      for (int64_t j = 0; j < i; ++j) {
        const double share = dot(row(j), x);
        for (int64_t k = 0; k < columns; ++k) x[k] -= share * row(j)[k];
      }
    const double length = std::sqrt(dot(x, x));
    for (int64_t k = 0; k < columns; ++k) x[k] /= length;
  }
}

}  // namespace

Init truncated_normal(double mean, double deviation, double low, double high) {
  const double from = (low - mean) / deviation, to = (high - mean) / deviation;
  const double below = normal_below(from), share = normal_below(to) - below;
  if (!(deviation > 0) || !(low < high) || !(share > 0) || !std::isfinite(mean + deviation))
    fail<ValueError>("truncated_normal: mean ", mean, ", deviation ", deviation,
                     ": next to nothing lies between ", low, " and ", high);
  const double least = std::max(from, -40.0), most = std::min(to, 40.0);
  return {[=](const Shape& shape, RandomKey key) {
            const Array uniform = random_uniform(shape, 0.0, 1.0, key, float64);
            Array values(shape, float64);
            const double* const u = uniform.data<double>();
            double* const y = values.mutable_data<double>();
            parallel_for(shape.size(), 1 << 10, [=](int64_t begin, int64_t end) {
              for (int64_t i = begin; i < end; ++i)
                y[i] = std::clamp(mean + deviation * normal_quantile(below + u[i] * share, least, most), low,
                                  high);
            });
            return values.to(default_dtype());
          },
          true};
}

double gain_of(Nonlinearity nonlinearity) {
  switch (nonlinearity) {
    case Nonlinearity::relu:
      return std::sqrt(2.0);
    case Nonlinearity::tanh:
      return 5.0 / 3.0;
    default:
      return 1.0;
  }
}

Init xavier_uniform(double gain) { return xavier("xavier_uniform", false, gain); }
Init xavier_normal(double gain) { return xavier("xavier_normal", true, gain); }
Init kaiming_uniform(Nonlinearity nonlinearity, Fan fan) {
  return kaiming("kaiming_uniform", false, nonlinearity, fan);
}
Init kaiming_normal(Nonlinearity nonlinearity, Fan fan) {
  return kaiming("kaiming_normal", true, nonlinearity, fan);
}

Init orthogonal(double gain) {
  return {[gain](const Shape& shape, RandomKey key) {
            if (shape.rank() < 2)
              fail<ShapeError>("orthogonal: a weight ", shape, " is no matrix: it needs two axes");
            const int64_t outputs = shape[0], inputs = shape.without(0).size();
            const int64_t rows = std::min(outputs, inputs), columns = std::max(outputs, inputs);
            const Array drawn = random_normal({rows, columns}, 0.0, 1.0, key, float64);
            std::vector<double> basis(drawn.values<double>().begin(), drawn.values<double>().end());
            orthonormalize(basis, rows, columns);
            Array values(shape, float64);
            double* const y = values.mutable_data<double>();
            for (int64_t i = 0; i < outputs; ++i)
              for (int64_t j = 0; j < inputs; ++j) {
                const int64_t place = outputs <= inputs ? i * columns + j : j * columns + i;
                y[i * inputs + j] = gain * basis[static_cast<size_t>(place)];
              }
            return values.to(default_dtype());
          },
          true};
}

}  // namespace init

namespace {
thread_local bool skipping = false;
}

NoInit::NoInit() : before_(std::exchange(skipping, true)) {}
NoInit::~NoInit() { skipping = before_; }
bool NoInit::active() { return skipping; }

}  // namespace weft
