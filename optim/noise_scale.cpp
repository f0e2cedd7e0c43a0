#include <weft/lib/base/error.h>
#include <weft/optim/noise_scale.h>

namespace weft {

GradientNoiseScale::GradientNoiseScale(double memory) : memory_(memory) {
  if (!(memory >= 0 && memory < 1))
    fail<ValueError>("GradientNoiseScale: memory ", memory, " is not in [0, 1)");
}

void GradientNoiseScale::add(double few, double norm_of_few, double many, double norm_of_many) {
  if (!(0 < few && few < many))
    fail<ValueError>("GradientNoiseScale: needs 0 < few < many samples, not ", few, " and ", many);
  const double a = norm_of_few * norm_of_few, b = norm_of_many * norm_of_many;
  gradient_ = memory_ * gradient_ + (many * b - few * a) / (many - few);
  noise_ = memory_ * noise_ + (a - b) / (1 / few - 1 / many);
}

double GradientNoiseScale::value() const { return gradient_ > 0 && noise_ > 0 ? noise_ / gradient_ : 0; }

}  // namespace weft
