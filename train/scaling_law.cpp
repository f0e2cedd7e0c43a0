#include <weft/lib/base/math.h>
#include <weft/train/scaling_law.h>

#include <algorithm>

namespace weft {

double ScalingLaw::bits_per_byte(double parameters, double read, double distinct) const {
  const double once = std::min(read, distinct);
  const double again = read / once - 1;
  const double worth = once * (1 + R * (1 - math::exp(-again / R)));
  return E + A * math::pow(parameters * 1e-6, -a) + B * math::pow(worth * 1e-6, -b);
}

const ScalingLaw& ScalingLaw::of_books() {
  static constexpr ScalingLaw law{.E = 1.2526, .A = 0.3330, .a = 0.2570, .B = 0.8086, .b = 0.4288, .R = 15.0};
  return law;
}

}  // namespace weft
