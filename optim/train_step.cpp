#include <weft/lib/profile/profile.h>
#include <weft/optim/clip.h>
#include <weft/optim/train_step.h>

#include <algorithm>
#include <cmath>

namespace weft {

double train_step(Optimizer& optimizer, const TrainStepOptions& options) {
  if (options.count < 1) fail<ValueError>("train_step: a batch of ", options.count, " rows has no mean");
  const PhaseScope phase("optimizer");
  const std::vector<NamedTensor> parameters = optimizer.parameters();
  const double average = 1.0 / static_cast<double>(options.count);
  const double norm = grad_norm(parameters) * average;
  if (!std::isfinite(norm)) {
    const std::string name = first_nonfinite_grad(parameters);
    fail<NumericError>("train_step: the gradient of ",
                       name.empty() ? "all parameters together" : "'" + name + "'",
                       " is not finite; nothing was updated");
  }
  const double factor = options.max_norm > 0 ? std::min(1.0, options.max_norm / (norm + 1e-6)) : 1.0;
  optimizer.set_lr(options.lr);
  optimizer.step(average * factor);
  optimizer.zero_grad();
  return norm;
}

}  // namespace weft
